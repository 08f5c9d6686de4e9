#!lua
-- Replaces all that is here of an event, and releases the caller's lock. The epoch grows with every load, also when
-- clocks differ or jump back, so whatever was under way for the former state is refused as STALE.
-- KEYS: 1–6 see book.lua and seats.lua, 7 event:{id}:lock
-- ARGV: 1 the lock's token, 2 the layout that the caller found here and can replace ("": whatever is here), 3 the
--       caller's clock in ms, 4 the ledger's sequence number when it was read, 5 layout (see layout-text.ts),
--       6 capacity, 7 tally, 8 blocks and 9 types (JSON arrays), 10 the bitmap of available tickets, 11 the states,
--       12–14 runs, positions and gaps of seats, empty when there are none.
-- Returns "=epoch|version", "!" when the lock is no longer the caller's, "?" when the layout has changed meanwhile
-- (nothing changed).
if redis.call('GET', KEYS[7]) ~= ARGV[1] then return '!' end
-- A key of another type is damage, which a load ends.
local former = redis.pcall('HMGET', KEYS[1], 'epoch', 'version', 'layout')
if ARGV[2] ~= '' and former[3] ~= ARGV[2] then return '?' end
local epoch = string.format('%.0f', math.max((tonumber(former[1]) or 0) + 1, tonumber(ARGV[3])))
local version = string.format('%.0f', (tonumber(former[2]) or 0) + 1)
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
redis.call('DEL', unpack(KEYS, 1, 6))
for at = 2, 6 do
  if ARGV[8 + at] ~= '' then redis.call('SET', KEYS[at], ARGV[8 + at]) end
end
redis.call('HSET', KEYS[1], 'epoch', epoch, 'version', version, 'server', server, 'seq', ARGV[4], 'layout', ARGV[5],
  'capacity', ARGV[6], 'seats', #ARGV[13] / 4, 'tally', cmsgpack.pack(cjson.decode(ARGV[7])),
  'blocks', cmsgpack.pack(cjson.decode(ARGV[8])), 'types', cmsgpack.pack(cjson.decode(ARGV[9])))
redis.call('DEL', KEYS[7])
return '=' .. epoch .. '|' .. version
