-- Forgets a piece of who was erased before a time. ARGV: the cursor, the time. Returns the next cursor.
local piece = redis.call('HSCAN', key('erased'), ARGV[2], 'COUNT', 500)
for i = 1, #piece[2], 2 do
  if tonumber(piece[2][i + 1]) < tonumber(ARGV[3]) then
    redis.call('HDEL', key('erased'), piece[2][i])
  end
end
return {'ok', piece[1]}
