-- Deletes the oldest events before a time and returns them. ARGV: the time, and how many at most.
local places = redis.call(
  'ZRANGEBYSCORE', key('times'), '-inf', '(' .. ARGV[2], 'LIMIT', 0, tonumber(ARGV[3]))
local entries = {}
for _, place in ipairs(places) do
  local entry = row(place)
  if entry then entries[#entries + 1] = entry else redis.call('ZREM', key('times'), place) end
end
local subjects = subjects_of(entries)
for _, entry in ipairs(entries) do remove(entry) end
-- Whoever ends the sweep has all learn anew, also after one that was broken off.
if #entries > 0 then redis.call('SET', key('swept'), 1) end
return {'ok', #places, entries, subjects}
