-- Keeps a secret of the log, unless another process changed it. ARGV: name, what it was ('' for none), what
-- it is to be.
if (redis.call('HGET', key('secrets'), ARGV[2]) or '') ~= ARGV[3] then return {'changed'} end
redis.call('HSET', key('secrets'), ARGV[2], ARGV[4])
return {'ok'}
