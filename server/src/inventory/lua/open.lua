#!lua flags=no-writes
-- Whether what is here of an event can be trusted: it was loaded into this very server process (a restart, a
-- failover or a moved slot shows by another run id), and it is complete.
-- KEYS: see book.lua and seats.lua.
-- Returns "=epoch|version|layout", or "!" when it must be loaded.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'version', 'server', 'capacity', 'seats', 'layout')
if not meta[1] then return '!' end
local capacity, seats = tonumber(meta[4]), tonumber(meta[5])
local length = {}
for at = 2, 6 do length[at] = redis.call('STRLEN', KEYS[at]) end
if length[2] ~= math.ceil(capacity / 8) or length[3] ~= math.ceil(capacity / 4) then return '!' end
if length[5] ~= 4 * seats or length[6] ~= 20 * math.ceil(length[4] / 24 / 8) then return '!' end
if seats > 0 and length[4] == 0 then return '!' end
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if server ~= meta[3] then return '!' end
return '=' .. meta[1] .. '|' .. meta[2] .. '|' .. meta[6]
