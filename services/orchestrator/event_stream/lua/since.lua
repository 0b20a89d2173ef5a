-- Events from a time on, by time. ARGV: the time, the member that was read last or '', how many.
local times, limit = key('times'), tonumber(ARGV[4])
local first = ARGV[3] ~= '' and redis.call('ZRANK', times, ARGV[3])
first = first and first + 1 or redis.call('ZCOUNT', times, '-inf', '(' .. ARGV[2])
local members = redis.call('ZRANGE', times, first, first + limit - 1)
local entries = {}
for _, place in ipairs(members) do entries[#entries + 1] = row(place) end
local following = #members == limit and members[limit]
return {'ok', entries, subjects_of(entries), following,
        following and redis.call('ZSCORE', times, following)}
