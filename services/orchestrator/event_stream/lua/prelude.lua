-- Before every script. KEYS[1]: prefix of all keys; ARGV[1]: id of the log that the caller knows.
local prefix = KEYS[1]

local function key(name) return prefix .. ':' .. name end

-- Sorted set of a subject's places by time.
local function of(subject) return prefix .. ':of:' .. subject end

local function id(place) return string.format('%d-0', tonumber(place)) end

-- As members of sorted sets: their order as texts is that of the places.
local function member(place) return string.format('%016d', tonumber(place)) end

-- Hash of a subject's events: the digest of their id, 16 bytes, and what is sealed, by place. They are
-- not in the stream itself, as what is deleted there stays in memory and on disk until its neighbours go.
local function texts(subject) return prefix .. ':texts:' .. subject end

local function number(place) return string.format('%d', tonumber(place)) end

local function field(entry, name)
  for i = 1, #entry[2], 2 do
    if entry[2][i] == name then return entry[2][i + 1] end
  end
end

-- The event at a place of a subject.
local function made(place, subject)
  local text = redis.call('HGET', texts(subject), number(place)) or ''
  return {id(place), {'s', subject, 'p', text}}
end

-- An entry of the stream with its event, if it has one.
local function with_text(entry)
  local subject = field(entry, 's')
  return subject and made(string.match(entry[1], '^%d+'), subject) or entry
end

-- The entry at a place; false when it is gone.
local function row(place)
  local entry = redis.call('XRANGE', key('stream'), id(place), id(place))[1]
  return entry and with_text(entry) or false
end

-- Of each subject once: id, sealed key, refused purposes.
local function subjects_of(entries)
  local seen, found = {}, {}
  for _, entry in ipairs(entries) do
    local subject = entry and field(entry, 's')
    if subject and not seen[subject] then
      seen[subject] = true
      local sealed = redis.call('HGET', key('subjects'), subject)
      if sealed then
        found[#found + 1] = {subject, sealed, redis.call('HGET', key('refused'), subject) or '0'}
      end
    end
  end
  return found
end

local function last() return tonumber(redis.call('GET', key('sequence')) or '0') end

-- Tells followers to forget an actor: for some purposes, or for all (0).
local function tell_forgotten(alias, is_user, purposes)
  local place = redis.call('INCR', key('sequence'))
  redis.call('XADD', key('stream'), id(place), 'a', alias, 'u', is_user, 'm', purposes)
  redis.call('RPUSH', key('forgotten'), place)
end

-- Takes an event out of the stream and all that finds it.
local function remove(entry)
  local place = string.match(entry[1], '^%d+')
  local subject = field(entry, 's')
  redis.call('XDEL', key('stream'), entry[1])
  redis.call('HDEL', key('ids'), string.sub(field(entry, 'p'), 1, 16))
  redis.call('HDEL', texts(subject), place)
  redis.call('ZREM', key('times'), member(place))
  redis.call('ZREM', of(subject), member(place))
end

-- Gives the log another id, so that all followers learn anew.
local function renew(log)
  redis.call('SET', key('log'), log)
  redis.call('DEL', key('swept'))
  -- Whoever learns anew has nothing to forget.
  for _, place in ipairs(redis.call('LRANGE', key('forgotten'), 0, -1)) do
    redis.call('XDEL', key('stream'), id(place))
  end
  redis.call('DEL', key('forgotten'))
  -- A place that no event has: it wakes who waits.
  local place = redis.call('INCR', key('sequence'))
  redis.call('XADD', key('stream'), id(place), 'n', '')
  redis.call('RPUSH', key('forgotten'), place)
end

if redis.call('GET', key('log')) ~= ARGV[1] then return {'moved'} end
