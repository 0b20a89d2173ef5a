-- Finds subjects. ARGV: their aliases. Of each: id, sealed key, refused purposes, number of events.
local found = {}
for i = 2, #ARGV do
  local subject = redis.call('HGET', key('aliases'), ARGV[i])
  local sealed = subject and redis.call('HGET', key('subjects'), subject)
  if sealed then
    local refused = redis.call('HGET', key('refused'), subject) or '0'
    found[#found + 1] = {subject, sealed, refused, redis.call('ZCARD', of(subject))}
  else
    found[#found + 1] = false
  end
end
return {'ok', found}
