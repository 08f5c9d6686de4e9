-- Takes tickets of one event for all who asked in a turn: each gets all it wants, lowest numbers first, or nothing.
-- KEYS, ARGV 1 and 2: see book.lua.
-- ARGV: 3 runs of equal takes, in order: "count*pool:quantity,pool:quantity;…"
-- Returns "=version|counts|outcomes|tickets": an outcome per run is how many of it were granted, and why the rest
-- was not (S sold out, H all held, P pending), like "30" or "12P", joined by ","; the tickets of all that were granted,
-- in order, like "100-141,7".
local stale = read_book()
if stale then return stale end

local outcomes = {}
for count, list in string.gmatch(ARGV[3], '(%d+)%*([^;]+)') do
  local pools, quantities, together = {}, {}, {}
  for pool, quantity in string.gmatch(list, '(%d+):(%d+)') do
    pool, quantity = tonumber(pool), tonumber(quantity)
    pools[#pools + 1], quantities[#pools + 1] = pool, quantity
    together[pool] = (together[pool] or 0) + quantity
  end
  local granted, refusal = 0, 4
  count = tonumber(count)
  while granted < count do
    for pool, quantity in pairs(together) do refusal = math.min(refusal, shortage(pool, quantity)) end
    -- A refused take changes nothing, so the rest of the run is refused alike.
    if refusal < 4 then break end
    for at = 1, #pools do
      for _ = 1, quantities[at] do take_one(pools[at]) end
    end
    for pool, quantity in pairs(together) do
      tally[5 * pool + 1] = tally[5 * pool + 1] - quantity
      tally[5 * pool + 2] = tally[5 * pool + 2] + quantity
    end
    granted = granted + 1
  end
  outcomes[#outcomes + 1] = granted .. (CODES[refusal] or '')
end
end_run()

for pool, next in pairs(position) do tally[5 * pool + 5] = next end -- S1
if from then write_book() end
return answer() .. concat(outcomes, ',') .. '|' .. concat(runs, ',')
