-- Takes tickets of one event for all who asked in a turn: each gets all it wants, lowest numbers first, or nothing.
-- KEYS, ARGV 1 and 2: see book.lua.
-- ARGV: 3 runs of equal takes, in order: "count*type:quantity,type:quantity;…"
-- Returns "=version|counts|outcomes|tickets": an outcome per run is how many of it were granted, and why the rest
-- was not (S sold out, H all held, P pending), like "30" or "12P", joined by ","; the tickets of all that were granted,
-- in order, like "100-141,7".
local stale = read_book()
if stale then return stale end

-- By type: the next ticket to look at, the end of the block it is in, and where that block stands in `blocks`.
local position, limit, block = {}, {}, {}

local function enter_next_block(type)
  for at = (block[type] or -1) + 2, #blocks, 2 do
    if blocks[at + 1] == type and blocks[at] > tally[5 * type + 5] then
      local first = at > 1 and blocks[at - 2] or 0
      block[type], limit[type] = at, blocks[at]
      position[type] = math.max(first, tally[5 * type + 5])
      return
    end
  end
  error({ err = 'CORRUPT fewer tickets are free than counted' })
end

local from, to, runs = nil, nil, {}

local function end_run()
  if from then runs[#runs + 1] = from == to and from or from .. '-' .. to end
end

local function take_one(type)
  if not position[type] then enter_next_block(type) end
  local ticket = position[type]
  while true do
    if ticket % WINDOW == 0 or ticket >= limit[type] then
      ticket = ticket < limit[type] and redis.call('BITPOS', FREE, 1, ticket, limit[type] - 1, 'BIT') or -1
      while ticket < 0 do
        enter_next_block(type)
        ticket = redis.call('BITPOS', FREE, 1, position[type], limit[type] - 1, 'BIT')
      end
    end
    local window, offset = window_at(ticket)
    local free = free_of(window, ticket - offset)
    local eighth, quarter = offset % 8, offset % 4
    local at = (offset - eighth) / 8 + 1
    local bits = free[at] % (2 * BIT[eighth])
    if bits >= BIT[eighth] then
      free[at] = free[at] - BIT[eighth]
      at = (offset - quarter) / 4 + 1
      window.states[at] = window.states[at] + PAIR[quarter]
      break
    end
    -- On to the next bit, or, when this byte has no more, to the next byte.
    ticket = bits > 0 and ticket + 1 or ticket - eighth + 8
  end
  position[type] = ticket + 1
  if to == ticket - 1 then
    to = ticket
  else
    end_run()
    from, to = ticket, ticket
  end
end

-- Why a type cannot give so many. 1 is the most final.
local CODES = { 'S', 'H', 'P' }
local function shortage(type, quantity)
  local available, pending, held = tally[5 * type + 1], tally[5 * type + 2], tally[5 * type + 3]
  if available >= quantity then return 4 end
  if available + pending >= quantity then return 3 end
  return available + pending + held >= quantity and 2 or 1
end

local outcomes = {}
for count, list in string.gmatch(ARGV[3], '(%d+)%*([^;]+)') do
  local types, quantities, together = {}, {}, {}
  for type, quantity in string.gmatch(list, '(%d+):(%d+)') do
    type, quantity = tonumber(type), tonumber(quantity)
    types[#types + 1], quantities[#types + 1] = type, quantity
    together[type] = (together[type] or 0) + quantity
  end
  local granted, refusal = 0, 4
  count = tonumber(count)
  while granted < count do
    for type, quantity in pairs(together) do refusal = math.min(refusal, shortage(type, quantity)) end
    -- A refused take changes nothing, so the rest of the run is refused alike.
    if refusal < 4 then break end
    for at = 1, #types do
      for _ = 1, quantities[at] do take_one(types[at]) end
    end
    for type, quantity in pairs(together) do
      tally[5 * type + 1] = tally[5 * type + 1] - quantity
      tally[5 * type + 2] = tally[5 * type + 2] + quantity
    end
    granted = granted + 1
  end
  outcomes[#outcomes + 1] = granted .. (CODES[refusal] or '')
end
end_run()

for type, next in pairs(position) do tally[5 * type + 5] = next end -- S1
if from then write_book() end
return answer() .. concat(outcomes, ',') .. '|' .. concat(runs, ',')
