-- Finds subjects, made where they are missing. ARGV: of each its alias, its sealed key if it is new, the
-- digest of its actor among the erased, and the time of its latest event. Nobody is made for events of
-- before an erasure alone.
local found = {}
for i = 2, #ARGV, 4 do
  local alias, sealed, erased, latest = unpack(ARGV, i, i + 3)
  local subject = redis.call('HGET', key('aliases'), alias)
  local known = subject and redis.call('HGET', key('subjects'), subject)
  local erased_at = redis.call('HGET', key('erased'), erased)
  if known then
    found[#found + 1] = {subject, known, redis.call('HGET', key('refused'), subject) or '0'}
  elseif erased_at and tonumber(latest) <= tonumber(erased_at) then
    found[#found + 1] = false
  else
    subject = string.format('%d', redis.call('INCR', key('subject')))
    redis.call('HSET', key('subjects'), subject, sealed)
    redis.call('HSET', key('aliases'), alias, subject)
    found[#found + 1] = {subject, sealed, '0'}
  end
end
return {'ok', found}
