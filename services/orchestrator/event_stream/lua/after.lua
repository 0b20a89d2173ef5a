-- The log behind a place. ARGV: the place, and how many entries at most.
local limit = tonumber(ARGV[3])
local entries = redis.call('XRANGE', key('stream'), '(' .. id(ARGV[2]), '+', 'COUNT', limit)
local place = math.max(last(), tonumber(ARGV[2]))
if #entries == limit then place = tonumber(string.match(entries[limit][1], '^%d+')) end
for i, entry in ipairs(entries) do entries[i] = with_text(entry) end
return {'ok', place, entries, subjects_of(entries)}
