-- Gives the log another id, so that all followers learn anew. ARGV: the id; whether to do so only after a
-- sweep that deleted something.
if ARGV[3] == '1' and redis.call('EXISTS', key('swept')) == 0 then return {'ok', last()} end
renew(ARGV[2])
return {'ok', last()}
