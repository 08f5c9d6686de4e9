#!lua
-- Adds what a longer layout has more of general admission, if what is here is the shorter layout that the caller
-- found. The new tickets are available, all others stay as they are; so the epoch stays, too. Not as the scripts of
-- the book: it needs memory.
-- KEYS: see book.lua.
-- ARGV: 1 the layout that was found, 2 the longer one, 3 and 4 their capacities, 5 the tally of the new tickets alone
--       (JSON array), 6 blocks and 7 types (JSON arrays).
-- Returns "=", or "!" when something else is here (nothing changed).
local META, FREE, STATES = KEYS[1], KEYS[2], KEYS[3]
local meta = redis.call('HMGET', META, 'layout', 'version', 'tally')
if meta[1] ~= ARGV[1] then return '!' end
local from, capacity = tonumber(ARGV[3]), tonumber(ARGV[4])
local tally, added = cmsgpack.unpack(meta[3]), cjson.decode(ARGV[5])
for at = 1, #added, 5 do
  if at > #tally then
    for field = at, at + 4 do tally[field] = added[field] end
  else
    tally[at] = tally[at] + added[at]
  end
end

if capacity > from then
  local states, free = math.ceil(capacity / 4), math.ceil(capacity / 8)
  if redis.call('STRLEN', STATES) < states then redis.call('SETRANGE', STATES, states - 1, '\0') end
  -- From the byte that the first new ticket is in; the bits before it stay, and those behind the last one are 0.
  local first = math.floor(from / 8)
  local before = 256 - 2 ^ (8 - from % 8)
  local old = string.byte(redis.call('GETRANGE', FREE, first, first)) or 0
  local bytes = { string.char(old - old % (256 - before) + 255 - before), string.rep('\255', free - first - 1) }
  local tail = table.concat(bytes)
  local rest = capacity % 8
  if rest > 0 then
    local last = string.byte(tail, -1)
    tail = string.sub(tail, 1, -2) .. string.char(last - last % 2 ^ (8 - rest))
  end
  redis.call('SETRANGE', FREE, first, tail)
end
redis.call('HSET', META, 'layout', ARGV[2], 'version', string.format('%.0f', meta[2] + 1), 'capacity', ARGV[4],
  'tally', cmsgpack.pack(tally), 'blocks', cmsgpack.pack(cjson.decode(ARGV[6])),
  'types', cmsgpack.pack(cjson.decode(ARGV[7])))
return '='
