-- As take.lua, for events with seats and for named tickets: each who asks gets all wants together, or nothing.
-- KEYS, ARGV 1 and 2: see book.lua and seats.lua.
-- ARGV: 3 runs of equal takes, in order: "count*want,want;…"; a want is, in the order in which they must be taken,
--       "=12.14-20" (these tickets), "~n:first run:end run:first pool:last pool:needed" and perhaps "!" (the best n
--       seats; "!": only together), "pool:quantity:needed" (any tickets; without needed it is the quantity). `needed`
--       is what all wants of the take must find in these pools.
-- Returns "=version|counts|outcomes|tickets" as take.lua does, but that the rest may have been refused as N too (not
-- together) or T (taken); then the number of the taken tickets follows, like "0T2", and they stand among the tickets.
local stale = read_book()
if stale then return stale end

local CODE = { [0] = 'T', 'S', 'H', 'P' }

local function count_in(want, state)
  local count = 0
  for pool = want.first_pool, want.last_pool do count = count + tally[5 * pool + 1 + state] end
  return count
end

-- Why pools cannot give that many. 1 is the most final.
local function shortage_in(want)
  local missing = want.needed - count_in(want, 0)
  if missing <= 0 then return 4 end
  missing = missing - count_in(want, 1)
  if missing <= 0 then return 3 end
  return missing <= count_in(want, 2) and 2 or 1
end

-- As far as states and counts tell.
local function refusal_of(wants)
  local refusal = 4
  for _, want in ipairs(wants) do
    if want.tickets then
      for _, ticket in ipairs(want.tickets) do
        local state = state_of(ticket)
        if state > 1 then refusal = 0 elseif state == 1 then refusal = math.min(refusal, 3) end
      end
    else
      refusal = math.min(refusal, shortage_in(want))
    end
  end
  return CODE[refusal]
end

-- The tickets of the take under way, but for general admission, which comes last and never fails.
local taken = {}

local function undo()
  for at = #taken, 1, -1 do give_back(taken[at]) end
end

-- Seats a party by the rule of best-seats.ts, if that can be done.
local function seat(want)
  local n, left = want.best, want.best
  while left > 0 do
    local run, first = find(want, n)
    if run then
      take_window(run, first, first + n) -- S1
      for ticket = first, first + n - 1 do taken[#taken + 1] = ticket end
      left = left - n
      n = math.min(n, left)
    elseif n > 1 and not want.is_together then
      n = n - 1
    else
      return false
    end
  end
  return true
end

-- Enough seats are free, but none, or none side by side, that could be found.
local function why_unseated(want)
  if want.is_together and find(want, 1) then return 'N' end
  return count_in(want, 1) > 0 and 'P' or count_in(want, 2) > 0 and 'H' or 'S'
end

local function emit(ticket)
  if to == ticket - 1 then
    to = ticket
  else
    end_run()
    from, to = ticket, ticket
  end
end

-- Takes these tickets, which are available. Neighbours in a run are taken as one window.
local function take_named(tickets)
  local at = 1
  while at <= #tickets do
    local first = tickets[at]
    local past = first + 1
    if first < seats then
      local run = run_of(first)
      while tickets[at + past - first] == past and past < run.past do past = past + 1 end
      take_window(run, first, past) -- S1
    else
      move(first, 0, 1) -- S1
    end
    for ticket = first, past - 1 do taken[#taken + 1] = ticket end
    at = at + past - first
  end
end

-- Takes what all want, for which the counts are enough; says why not.
local function take_all(wants)
  taken = {}
  look_again_at_moved()
  for _, want in ipairs(wants) do
    if want.tickets then
      take_named(want.tickets)
    elseif want.best and not seat(want) then
      undo()
      return why_unseated(want)
    end
  end
  for _, ticket in ipairs(taken) do emit(ticket) end
  for _, want in ipairs(wants) do
    if want.quantity then
      for _ = 1, want.quantity do take_one(want.first_pool) end
      local at = 5 * want.first_pool
      tally[at + 1], tally[at + 2] = tally[at + 1] - want.quantity, tally[at + 2] + want.quantity
    end
  end
end

-- Says which of the named tickets are held or sold, and how many.
local function emit_taken(wants)
  local count = 0
  for _, want in ipairs(wants) do
    for _, ticket in ipairs(want.tickets or {}) do
      if state_of(ticket) > 1 then
        emit(ticket)
        count = count + 1
      end
    end
  end
  return count
end

local wants_by_text = {}
local function read_wants(list)
  if wants_by_text[list] then return wants_by_text[list] end
  local wants = {}
  wants_by_text[list] = wants
  for text in string.gmatch(list, '[^,]+') do
    local want = {}
    local kind = byte(text)
    if kind == 61 then -- =
      want.tickets = {}
      each_ticket(text, function(ticket) want.tickets[#want.tickets + 1] = ticket end)
    elseif kind == 126 then -- ~
      local best, first_run, end_run, first_pool, last_pool, needed, together =
        string.match(text, '(%d+):(%d+):(%d+):(%d+):(%d+):(%d+)(!?)')
      want.best, want.first_run, want.end_run = tonumber(best), tonumber(first_run), tonumber(end_run)
      want.first_pool, want.last_pool, want.needed = tonumber(first_pool), tonumber(last_pool), tonumber(needed)
      want.is_together, want.searches = together == '!', {}
    else
      local pool, quantity, needed = string.match(text, '(%d+):(%d+):?(%d*)')
      want.first_pool, want.last_pool = tonumber(pool), tonumber(pool)
      want.quantity, want.needed = tonumber(quantity), tonumber(needed) or tonumber(quantity)
    end
    wants[#wants + 1] = want
  end
  return wants
end

local outcomes, has_taken = {}, false
for count, list in string.gmatch(ARGV[3], '(%d+)%*([^;]+)') do
  local wants, granted, refusal = read_wants(list), 0, nil
  count = tonumber(count)
  while granted < count do
    -- A refused take changes nothing, so the rest of the run is refused alike.
    refusal = refusal_of(wants) or take_all(wants)
    if refusal then break end
    granted, has_taken = granted + 1, true
  end
  local named = refusal == 'T' and emit_taken(wants) or ''
  outcomes[#outcomes + 1] = granted .. (refusal or '') .. named
end
end_run()

for pool, next in pairs(position) do tally[5 * pool + 5] = next end -- S1
if has_taken then write_book() else write_gaps() end -- What was undone stands in `gaps` again.
return answer() .. concat(outcomes, ',') .. '|' .. concat(runs, ',')
