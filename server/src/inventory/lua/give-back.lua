-- Back to sale: pending or held → available. What is available or sold stays so.
-- KEYS, ARGV 1 and 2: see book.lua.
-- ARGV: 3 tickets, like "12,14-20".
-- Returns "=version|counts|changed": how many tickets changed.
local stale = read_book()
if stale then return stale end

local changed = 0
each_ticket(ARGV[3], function(ticket)
  local state = state_of(ticket)
  if state ~= 1 and state ~= 2 then return end
  move(ticket, state, 0)
  changed = changed + 1
end)
if changed > 0 then write_book() end
return answer() .. changed
