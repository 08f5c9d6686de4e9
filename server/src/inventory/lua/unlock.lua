#!lua
-- Ends a lock whose load did not come to its end.
-- KEYS: 1 event:{id}:lock
-- ARGV: 1 the lock's token
-- Returns 1 when the lock was the caller's, else 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
