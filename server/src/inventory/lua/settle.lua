-- The ledger has committed: pending → held or sold, held → sold, available → sold. What is available when it is
-- settled as held stays so: its hold may have ended before this message came.
-- KEYS, ARGV 1 and 2: see book.lua.
-- ARGV: 3 tickets settled as held, 4 tickets settled as sold, both like "12,14-20".
-- Returns "=version|counts|changed": how many tickets changed.
local stale = read_book()
if stale then return stale end

local changed = 0
each_ticket(ARGV[3], function(ticket)
  if state_of(ticket) ~= 1 then return end
  move(ticket, 1, 2)
  changed = changed + 1
end)
each_ticket(ARGV[4], function(ticket)
  local state = state_of(ticket)
  if state == 3 then return end
  move(ticket, state, 3)
  changed = changed + 1
end)
if changed > 0 then write_book() end
return answer() .. changed
