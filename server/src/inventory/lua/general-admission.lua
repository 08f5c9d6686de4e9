-- How tickets that can stand for one another are taken, lowest numbers first. It stands after book.lua.

-- By pool: the next ticket to look at, the end of the block it is in, and where that block stands in `blocks`.
local position, limit, block = {}, {}, {}

local function enter_next_block(pool)
  for at = (block[pool] or -1) + 2, #blocks, 2 do
    if blocks[at + 1] == pool and blocks[at] > tally[5 * pool + 5] then
      local first = at > 1 and blocks[at - 2] or 0
      block[pool], limit[pool] = at, blocks[at]
      position[pool] = math.max(first, tally[5 * pool + 5])
      return
    end
  end
  error({ err = 'CORRUPT fewer tickets are free than counted' })
end

local from, to, runs = nil, nil, {}

local function end_run()
  if from then runs[#runs + 1] = from == to and from or from .. '-' .. to end
end

local function take_one(pool)
  if not position[pool] then enter_next_block(pool) end
  local ticket = position[pool]
  while true do
    if ticket % WINDOW == 0 or ticket >= limit[pool] then
      ticket = ticket < limit[pool] and redis.call('BITPOS', FREE, 1, ticket, limit[pool] - 1, 'BIT') or -1
      while ticket < 0 do
        enter_next_block(pool)
        ticket = redis.call('BITPOS', FREE, 1, position[pool], limit[pool] - 1, 'BIT')
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
  position[pool] = ticket + 1
  if to == ticket - 1 then
    to = ticket
  else
    end_run()
    from, to = ticket, ticket
  end
end

-- Why a pool cannot give that many. 1 is the most final.
local CODES = { 'S', 'H', 'P' }
local function shortage(pool, quantity)
  local available, pending, held = tally[5 * pool + 1], tally[5 * pool + 2], tally[5 * pool + 3]
  if available >= quantity then return 4 end
  if available + pending >= quantity then return 3 end
  return available + pending + held >= quantity and 2 or 1
end

