-- Events of subjects behind a place, in the order of the log. ARGV: the place, how many, the subjects.
local places = {}
for i = 4, #ARGV do
  for _, place in ipairs(redis.call('ZRANGE', of(ARGV[i]), 0, -1)) do
    if tonumber(place) > tonumber(ARGV[2]) then places[#places + 1] = {place, ARGV[i]} end
  end
end
table.sort(places, function(one, other) return one[1] < other[1] end)
local entries = {}
for i = 1, math.min(#places, tonumber(ARGV[3])) do entries[#entries + 1] = made(unpack(places[i])) end
return {'ok', entries, subjects_of(entries)}
