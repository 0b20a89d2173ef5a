-- Sets what subjects refuse. ARGV: the mask; then of each subject its id, alias, whether it is a user.
-- Returns what each refuses newly.
for i = 3, #ARGV, 3 do
  if redis.call('HEXISTS', key('subjects'), ARGV[i]) == 0 then return {'gone', ARGV[i]} end
end
local mask, newly = tonumber(ARGV[2]), {}
for i = 3, #ARGV, 3 do
  local subject, alias, is_user = unpack(ARGV, i, i + 2)
  local before = tonumber(redis.call('HGET', key('refused'), subject) or '0')
  local more = bit.band(mask, bit.bnot(before))
  if mask == 0 then
    redis.call('HDEL', key('refused'), subject)
  else
    redis.call('HSET', key('refused'), subject, mask)
  end
  if more ~= 0 then tell_forgotten(alias, is_user, more) end
  newly[#newly + 1] = more
end
return {'ok', last(), newly}
