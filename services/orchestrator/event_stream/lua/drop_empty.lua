-- Destroys keys of subjects without events or refusals. ARGV: of each its id and alias.
local count = 0
for i = 2, #ARGV, 2 do
  local subject, alias = ARGV[i], ARGV[i + 1]
  if redis.call('ZCARD', of(subject)) == 0 and redis.call('HEXISTS', key('refused'), subject) == 0 then
    count = count + redis.call('HDEL', key('subjects'), subject)
    if redis.call('HGET', key('aliases'), alias) == subject then
      redis.call('HDEL', key('aliases'), alias)
    end
  end
end
return {'ok', count}
