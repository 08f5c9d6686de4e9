#!lua flags=no-writes
-- Whether what is here of an event can be trusted: it was loaded into this very server process (a restart, a
-- failover or a moved slot shows by another run id), and it is complete.
-- KEYS: see book.lua.
-- Returns "=epoch|version|layout", or "!" when it must be loaded.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'version', 'server', 'capacity', 'layout')
if not meta[1] then return '!' end
local capacity = tonumber(meta[4])
if redis.call('STRLEN', KEYS[2]) ~= math.ceil(capacity / 8) then return '!' end
if redis.call('STRLEN', KEYS[3]) ~= math.ceil(capacity / 4) then return '!' end
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if server ~= meta[3] then return '!' end
return '=' .. meta[1] .. '|' .. meta[2] .. '|' .. meta[5]
