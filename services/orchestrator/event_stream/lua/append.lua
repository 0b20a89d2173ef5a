-- Writes events. ARGV: whether a replica must see even that nothing was written; then of each event
-- its digest, subject, time, sealed text, and the digest of its actor among the erased.
-- Nothing is written where a subject is gone: who writes makes it anew and seals again.
for i = 3, #ARGV, 5 do
  if redis.call('HEXISTS', key('subjects'), ARGV[i + 1]) == 0 then return {'gone', ARGV[i + 1]} end
end
local results, known, wrote = {}, {}, false
for i = 3, #ARGV, 5 do
  local digest, subject, at, payload, erased = unpack(ARGV, i, i + 4)
  local refused = redis.call('HGET', key('refused'), subject) or '0'
  local erased_at = redis.call('HGET', key('erased'), erased)
  local place = redis.call('HGET', key('ids'), digest)
  if erased_at and tonumber(at) <= tonumber(erased_at) then
    results[#results + 1] = {'late'}
  elseif place then
    local entry = row(place)
    known[#known + 1] = entry
    results[#results + 1] = {'known', refused, entry}
  else
    place = redis.call('INCR', key('sequence'))
    redis.call('XADD', key('stream'), id(place), 's', subject)
    redis.call('HSET', texts(subject), number(place), digest .. payload)
    redis.call('HSET', key('ids'), digest, place)
    redis.call('ZADD', key('times'), at, member(place))
    redis.call('ZADD', of(subject), at, member(place))
    results[#results + 1] = {'new', refused, place}
    wrote = true
  end
end
if ARGV[2] == '1' and not wrote then redis.call('SET', key('touched'), last()) end
return {'ok', last(), results, subjects_of(known)}
