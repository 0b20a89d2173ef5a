-- A piece of all subjects. ARGV: the cursor; a prefix that those wanted do not begin with, or ''. Returns
-- the next cursor, ids and sealed keys.
local piece = redis.call('HSCAN', key('subjects'), ARGV[2], 'COUNT', 500)
local found = {}
for i = 1, #piece[2], 2 do
  local sealed = piece[2][i + 1]
  if ARGV[3] == '' or string.sub(sealed, 1, #ARGV[3]) ~= ARGV[3] then
    found[#found + 1] = {piece[2][i], sealed}
  end
end
return {'ok', piece[1], found}
