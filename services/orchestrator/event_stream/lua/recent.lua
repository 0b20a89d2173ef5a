-- The latest events of a subject. ARGV: its alias, and how many.
local subject = redis.call('HGET', key('aliases'), ARGV[2])
if not subject then return {'ok', {}, {}} end
local entries = {}
for _, place in ipairs(redis.call('ZREVRANGE', of(subject), 0, tonumber(ARGV[3]) - 1)) do
  entries[#entries + 1] = made(place, subject)
end
return {'ok', entries, subjects_of(entries)}
