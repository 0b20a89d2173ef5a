-- Takes new aliases into use. ARGV: name of the hash that has them; the last subject that is in it; the
-- sealed alias key; the id that the log has from now on. Refused while a later subject is missing.
local made = tonumber(redis.call('GET', key('subject')) or '0')
if made ~= tonumber(ARGV[3]) then return {'changed', made} end
redis.call('DEL', key('aliases'))
if redis.call('EXISTS', key(ARGV[2])) == 1 then
  redis.call('RENAME', key(ARGV[2]), key('aliases'))
  redis.call('PERSIST', key('aliases'))
end
redis.call('HSET', key('secrets'), 'aliases', ARGV[4])
renew(ARGV[5])
return {'ok', last()}
