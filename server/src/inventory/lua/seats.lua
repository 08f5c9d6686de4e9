-- What the book must know of seats; it stands after book.lua in the scripts of events that have some.
-- KEYS: 4 event:{id}:runs      a record of 24 bytes for each run, by position: its first ticket, length, base, focus,
--                              anchor and pool, each as four bytes, the least first
--       5 event:{id}:positions four bytes a seat: the position of its run
--       6 event:{id}:gaps      20 bitmaps over positions: runs with a neat window for 1 … 10, then with any window
-- What the words mean says best-seats.ts. Only `gaps` ever changes: with every seat that becomes free or is taken.
local RUNS, POSITIONS, GAPS = KEYS[4], KEYS[5], KEYS[6]
local RECORD = 24
local PARTY = 10
local event = redis.call('HMGET', META, 'seats', 'types')
local seats, types = tonumber(event[1]), cmsgpack.unpack(event[2])
-- Bits of one bitmap.
local stride = 8 * redis.call('STRLEN', GAPS) / (2 * PARTY)
if seats > 0 and stride == 0 then error({ err = 'CORRUPT seats without gaps' }) end
local bitmaps = {}

-- The bytes of the bitmap of available tickets for the window at `first`, as this call has changed them so far.
local function free_bytes(first)
  local window = windows[first]
  if window then return free_of(window, first) end
  local bytes = bitmaps[first]
  if not bytes then
    bytes = { byte(redis.call('GETRANGE', FREE, first / 8, first / 8 + WINDOW / 8 - 1), 1, -1) }
    bitmaps[first] = bytes
  end
  return bytes
end

-- Where a run's seats are free, as {first, past, first, past…}.
local function stretches_of(run)
  if run.stretches then return run.stretches end
  local found, from = {}, nil
  local ticket, past = run.first, run.past
  while ticket < past do
    local offset = ticket % WINDOW
    local eighth = offset % 8
    local bits = free_bytes(ticket - offset)[(offset - eighth) / 8 + 1] % (2 * BIT[eighth])
    if bits == 0 or bits == 2 * BIT[eighth] - 1 then
      -- What is left of this byte is all taken, or all free.
      if (bits == 0) == (from ~= nil) then
        if from then found[#found + 1], found[#found + 2] = from, ticket end
        from = not from and ticket or nil
      end
      ticket = ticket - eighth + 8
    else
      if (bits < BIT[eighth]) == (from ~= nil) then
        if from then found[#found + 1], found[#found + 2] = from, ticket end
        from = not from and ticket or nil
      end
      ticket = ticket + 1
    end
  end
  if from then found[#found + 1], found[#found + 2] = from, past end
  run.stretches = found
  return found
end

-- Parties of 1 … n, one bit each.
local function sizes_to(n)
  return n > 0 and 2 ^ math.min(n, PARTY) - 1 or 0
end

-- The sizes of parties for which a run has a neat window, and any window.
local function gaps_of(run)
  local stretches, anchor = stretches_of(run), run.anchor
  local longest, next = 0, false
  for at = 1, #stretches, 2 do
    local length = stretches[at + 1] - stretches[at]
    if anchor >= 0 then
      if stretches[at] <= anchor and anchor < stretches[at + 1] then return sizes_to(length), sizes_to(length) end
    elseif length > longest then
      longest, next = length, longest == length - 1
    elseif length == longest - 1 then
      next = true
    end
  end
  if anchor >= 0 then return 0, 0 end
  -- All of a stretch, or a part at one end of it that leaves two or more.
  local neat = sizes_to(longest - 2)
  if longest > 0 and longest <= PARTY then neat = neat + 2 ^ (longest - 1) end
  if next and longest > 1 and longest <= PARTY + 1 then neat = neat + 2 ^ (longest - 2) end
  return neat, sizes_to(longest)
end

local runs_by_position = {}

local function run_at(position)
  local run = runs_by_position[position]
  if run then return run end
  local record = redis.call('GETRANGE', RUNS, RECORD * position, RECORD * position + RECORD - 1)
  local first, length, base, focus, anchor, pool = struct.unpack('<i4i4i4i4i4i4', record)
  run = { position = position, first = first, past = first + length, base = base, focus = 2 * first + focus,
    anchor = anchor < 0 and -1 or first + anchor, pool = pool }
  runs_by_position[position] = run
  return run
end

local last_run = { first = 0, past = 0 }

local function run_of(seat)
  if seat < last_run.first or seat >= last_run.past then
    last_run = run_at(struct.unpack('<i4', redis.call('GETRANGE', POSITIONS, 4 * seat, 4 * seat + 3)))
  end
  return last_run
end

-- Reads what `gaps` says of a run, before anything changes: it is what the bitmap of available tickets says.
local function enter(run)
  run.neat, run.any = gaps_of(run)
  run.written_neat, run.written_any = run.neat, run.any
end

-- Runs that changed in this call.
local changed_runs = {}

local function note_change(run)
  if not run.is_changed then
    run.is_changed = true
    changed_runs[#changed_runs + 1] = run
  end
  run.scores = nil
end

local tally_of_others, move_ticket, write_rest = tally_of, move, write_book

tally_of = function(ticket)
  if ticket < seats then return 5 * run_of(ticket).pool end
  return tally_of_others(ticket)
end

move = function(ticket, from, to)
  if ticket < seats and (from == 0 or to == 0) then
    local run = run_of(ticket)
    if not run.neat then enter(run) end
    note_change(run)
    run.stretches = nil
  end
  move_ticket(ticket, from, to)
end

-- As many words as one call of BITFIELD takes.
local CHUNK = 4000

local function write_bits(words, map, position, was, is)
  while was ~= is do
    local had, has = was % 2, is % 2
    if had ~= has then
      local at = #words
      words[at + 1], words[at + 2], words[at + 3], words[at + 4] = 'SET', 'u1', map * stride + position, has
    end
    was, is, map = (was - had) / 2, (is - has) / 2, map + 1
  end
end

local function write_gaps()
  local words = {}
  for _, run in ipairs(changed_runs) do
    if not run.stretches then run.neat, run.any = gaps_of(run) end
    write_bits(words, 0, run.position, run.written_neat, run.neat)
    write_bits(words, PARTY, run.position, run.written_any, run.any)
    if #words >= CHUNK then
      redis.call('BITFIELD', GAPS, unpack(words))
      words = {}
    end
  end
  if #words > 0 then redis.call('BITFIELD', GAPS, unpack(words)) end
end

write_book = function()
  write_gaps()
  write_rest()
end

-- By ticket type: to write down the counts of 50 pools takes 36 µs, to add them up 4.
answer = function()
  local counts = {}
  for pool = 1, #types do
    local from, to = 5 * (pool - 1), 4 * types[pool]
    for state = 1, 4 do counts[to + state] = (counts[to + state] or 0) + tally[from + state] end
  end
  return '=' .. version .. '|' .. concat(counts, ',') .. '|'
end

