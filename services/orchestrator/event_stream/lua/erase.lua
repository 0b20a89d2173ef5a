-- Erases subjects with their keys and events, and notes that nothing of before may come back.
-- ARGV: when; number of actors; digest of each among the erased; then of each subject its id, alias,
-- whether it is a user, and how many events it had when the caller looked. All or nothing.
local first = 4 + tonumber(ARGV[3])
for i = first, #ARGV, 4 do
  if redis.call('HEXISTS', key('subjects'), ARGV[i]) == 0
     or redis.call('ZCARD', of(ARGV[i])) ~= tonumber(ARGV[i + 3]) then return {'changed'} end
end
for i = 4, first - 1 do redis.call('HSET', key('erased'), ARGV[i], ARGV[2]) end
for i = first, #ARGV, 4 do
  local subject, alias, is_user = unpack(ARGV, i, i + 2)
  redis.call('HDEL', key('subjects'), subject)
  redis.call('HDEL', key('aliases'), alias)
  redis.call('HDEL', key('refused'), subject)
  for _, place in ipairs(redis.call('ZRANGE', of(subject), 0, -1)) do
    remove(made(place, subject))
  end
  redis.call('DEL', of(subject), texts(subject))
  tell_forgotten(alias, is_user, 0)
end
return {'ok', last()}
