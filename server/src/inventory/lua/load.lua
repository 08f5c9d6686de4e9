#!lua
-- Replaces all that is here of an event, and releases the caller's lock. The epoch grows with every load, also when
-- clocks differ or jump back, so whatever was under way for the former state is refused as STALE.
-- KEYS: 1–3 see book.lua, 4 event:{id}:lock
-- ARGV: 1 the lock's token, 2 the caller's clock in ms, 3 capacity, 4 layout ("end:name,…"), 5 tally (JSON array),
--       6 blocks (JSON array), 7 the bitmap of available tickets, 8 the states, 9 the ledger's sequence number when it
--       was read.
-- Returns "=epoch|version", or "!" when the lock is no longer the caller's (nothing changed).
if redis.call('GET', KEYS[4]) ~= ARGV[1] then return '!' end
-- A key of another type is damage, which a load ends.
local former = redis.pcall('HMGET', KEYS[1], 'epoch', 'version')
local epoch = string.format('%.0f', math.max((tonumber(former[1]) or 0) + 1, tonumber(ARGV[2])))
local version = string.format('%.0f', (tonumber(former[2]) or 0) + 1)
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[7])
redis.call('SET', KEYS[3], ARGV[8])
redis.call('HSET', KEYS[1], 'epoch', epoch, 'version', version, 'server', server, 'capacity', ARGV[3],
  'seq', ARGV[9], 'layout', ARGV[4], 'tally', cmsgpack.pack(cjson.decode(ARGV[5])), 'blocks', cmsgpack.pack(cjson.decode(ARGV[6])))
redis.call('DEL', KEYS[4])
return '=' .. epoch .. '|' .. version
