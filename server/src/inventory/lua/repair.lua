-- Corrects tickets that are still in the state they are corrected from.
-- KEYS, ARGV 1 and 2: see book.lua.
-- ARGV: 3 corrections "ticket:from:to,…", states by number.
-- Returns "=version|counts|changed": how many corrections were made.
local stale = read_book()
if stale then return stale end

local changed = 0
for ticket, from, to in string.gmatch(ARGV[3], '(%d+):(%d):(%d)') do
  ticket, from, to = tonumber(ticket), tonumber(from), tonumber(to)
  if state_of(ticket) == from then
    if from ~= to then move(ticket, from, to) end
    changed = changed + 1
  end
end
if changed > 0 then write_book() end
return answer() .. changed
