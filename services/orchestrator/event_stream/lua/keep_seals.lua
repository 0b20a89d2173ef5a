-- Keeps subjects' keys sealed anew, unless they changed. ARGV: of each its id, what it was, what it is to be.
for i = 2, #ARGV, 3 do
  if redis.call('HGET', key('subjects'), ARGV[i]) == ARGV[i + 1] then
    redis.call('HSET', key('subjects'), ARGV[i], ARGV[i + 2])
  end
end
return {'ok'}
