#!lua flags=allow-oom
-- What the scripts share; it stands before each of them. Nothing is written before `write_book`, so a script that
-- fails has changed nothing. No script needs memory (every byte is there since the load), so a full Redis sells on.
-- KEYS: 1 event:{id}:meta   hash: epoch, version, server, seq, capacity, seats, layout, tally, blocks, types
--       2 event:{id}:free   one bit a ticket, set = available
--       3 event:{id}:states two bits a ticket: 0 available, 1 pending, 2 held, 3 sold
--       4–6 of seats: see seats.lua
-- ARGV: 1 the epoch, 2 the last version the caller knows. What is older is STALE: "!epoch|version", nothing changed.
-- `tally` is packed {available, pending, held, sold, cursor} of each pool; no ticket below the cursor is available.
-- (Pools of seats have no use for a cursor.) `blocks` is packed {end, pool} of each run of tickets of one pool of general
-- admission, pools counted from 0; the seats come before them. `types` is packed {type} of each pool, counted from 0.
-- Packed fields: five hash fields a pool would be read and written one by one, 100 fields for 20 pools.
local META, FREE, STATES = KEYS[1], KEYS[2], KEYS[3]
local WINDOW = 64
local BIT = { [0] = 128, 64, 32, 16, 8, 4, 2, 1 }
local PAIR = { [0] = 64, 16, 4, 1 }
local byte, char, concat = string.byte, string.char, table.concat
local version, tally, blocks

-- The STALE answer, or nil when the book may be used.
local function read_book()
  local meta = redis.call('HMGET', META, 'epoch', 'version', 'tally', 'blocks')
  if meta[1] ~= ARGV[1] or tonumber(meta[2]) < tonumber(ARGV[2]) then
    return '!' .. (meta[1] or '') .. '|' .. (meta[2] or '')
  end
  version, tally, blocks = tonumber(meta[2]), cmsgpack.unpack(meta[3]), cmsgpack.unpack(meta[4])
end

-- "=version|a,p,h,s,a,p,h,s…|", by ticket type: how every answer that is not STALE begins. Here a type is one pool.
local function answer()
  local counts = {}
  for at = 1, #tally, 5 do
    counts[#counts + 1] = concat(tally, ',', at, at + 3)
  end
  return '=' .. version .. '|' .. concat(counts, ',') .. '|'
end

-- Both strings are worked on in windows of 64 tickets as tables of bytes, and written back whole: a few calls for a
-- batch instead of two or three for each ticket.
local windows = {}

local function window_at(ticket)
  local first = ticket - ticket % WINDOW
  local window = windows[first]
  if not window then
    window = { states = { byte(redis.call('GETRANGE', STATES, first / 4, first / 4 + WINDOW / 4 - 1), 1, -1) } }
    windows[first] = window
  end
  return window, ticket - first
end

local function free_of(window, first)
  if not window.free then
    window.free = { byte(redis.call('GETRANGE', FREE, first / 8, first / 8 + WINDOW / 8 - 1), 1, -1) }
  end
  return window.free
end

local function write_book()
  version = version + 1
  for first, window in pairs(windows) do
    redis.call('SETRANGE', STATES, first / 4, char(unpack(window.states))) -- S1
    if window.free then redis.call('SETRANGE', FREE, first / 8, char(unpack(window.free))) end -- S1
  end
  redis.call('HSET', META, 'version', version, 'tally', cmsgpack.pack(tally))
end

local function state_of(ticket)
  local window, offset = window_at(ticket)
  local quarter = offset % 4
  local rest = window.states[(offset - quarter) / 4 + 1] % (4 * PAIR[quarter])
  return (rest - rest % PAIR[quarter]) / PAIR[quarter]
end

local block_from, block_end, block_pool = 0, 0, nil

-- Where the tally of the ticket's pool begins, less one. Tickets come in runs, so the last block is tried first.
local function tally_of(ticket)
  if ticket < block_from or ticket >= block_end then
    block_end = 0
    for at = 1, #blocks, 2 do
      block_from, block_end, block_pool = block_end, blocks[at], blocks[at + 1]
      if ticket < block_end then break end
    end
  end
  return 5 * block_pool
end

-- The ticket's state, its pool's tally and the bitmap change together, so that S2 holds after every move.
local function move(ticket, from, to)
  local window, offset = window_at(ticket)
  local quarter, eighth = offset % 4, offset % 8
  local at = (offset - quarter) / 4 + 1
  window.states[at] = window.states[at] + (to - from) * PAIR[quarter]
  local pool = tally_of(ticket)
  tally[pool + from + 1] = tally[pool + from + 1] - 1
  tally[pool + to + 1] = tally[pool + to + 1] + 1
  if from ~= 0 and to ~= 0 then return end
  local free = free_of(window, ticket - offset)
  at = (offset - eighth) / 8 + 1
  free[at] = free[at] + (to == 0 and 1 or -1) * BIT[eighth]
  if to == 0 and ticket < tally[pool + 5] then tally[pool + 5] = ticket end
end

-- Calls `visit` with each ticket of a list like "12,14-20".
local function each_ticket(list, visit)
  for first, last in string.gmatch(list, '(%d+)%-?(%d*)') do
    first = tonumber(first)
    for ticket = first, tonumber(last) or first do visit(ticket) end
  end
end

