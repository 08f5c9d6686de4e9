-- Finds and takes the best window of seats for a party, by the rule of best-seats.ts. It stands after seats.lua.
--
-- What the takes of this call take, `gaps` learns at the end of it, so a run that it names may be full by now. A gap that
-- a run gains on the way (a window is neat when what is left beside it is taken) it learns at once, because a search
-- would not come upon it otherwise.
local LOOK_AHEAD = 4
-- By bitmap: how often a run gained a gap of this kind in this call.
local gains = {}

local function tell_gains(map, run, was, is)
  while was ~= is do
    local had, has = was % 2, is % 2
    if has > had then
      redis.call('SETBIT', GAPS, map * stride + run.position, 1)
      gains[map] = (gains[map] or 0) + 1
    end
    was, is, map = (was - had) / 2, (is - has) / 2, map + 1
  end
end

-- A run has changed: for whom does it have a gap now?
local function look_again(run)
  local neat, any = gaps_of(run)
  if neat ~= run.neat then
    tell_gains(0, run, run.neat, neat)
    run.written_neat = bit.bor(run.written_neat, neat)
  end
  if any ~= run.any then
    tell_gains(PARTY, run, run.any, any)
    run.written_any = bit.bor(run.written_any, any)
  end
  run.neat, run.any = neat, any
end

-- Runs whose seats were given back one by one.
local moved_runs = {}

local function look_again_at_moved()
  for _, run in ipairs(moved_runs) do
    if not run.stretches then look_again(run) end
  end
  if moved_runs[1] then moved_runs = {} end
end

local function give_back(ticket)
  move(ticket, 1, 0)
  if ticket < seats then moved_runs[#moved_runs + 1] = run_of(ticket) end
end

-- The score and the first seat of the best window for n in one run.
local function window_in(run, n, neat)
  local key = neat and n or n + PARTY
  if not run.scores then run.scores, run.firsts = {}, {} end
  if run.scores[key] then return run.scores[key], run.firsts[key] end
  local stretches, anchor, wanted = stretches_of(run), run.anchor, run.focus - n + 1
  local best, best_first
  for at = 1, #stretches, 2 do
    local first, last = stretches[at], stretches[at + 1] - n
    local from, to = first, last
    if anchor >= 0 then from, to = math.max(first, anchor - n + 1), math.min(last, anchor) end
    if from <= to then
      -- Nothing is better than the nearest to the focus; where that leaves a single seat, one of its neighbours is.
      local nearest = math.min(math.max(math.floor(wanted / 2), from), to)
      local lowest, highest = nearest, nearest
      if neat and anchor < 0 and (nearest - first == 1 or last - nearest == 1) then
        lowest, highest = math.max(nearest - 1, from), math.min(nearest + 1, to)
      end
      for start = lowest, highest do
        if not neat or anchor >= 0 or (start - first ~= 1 and last - start ~= 1) then
          local score = math.abs(2 * start - wanted)
          if not best or score < best then best, best_first = score, start end
        end
      end
    end
  end
  if not best then error({ err = 'CORRUPT a run has fewer gaps than is said of it' }) end
  run.scores[key], run.firsts[key] = best + run.base, best_first
  return run.scores[key], best_first
end

-- The first runs of a want that have a window for n, by position. Takes of one want in a row go on with them.
local function candidates(want, n, neat)
  local map = neat and n - 1 or n - 1 + PARTY
  local search = want.searches[map]
  if not search or search.gains ~= gains[map] then
    search = { gains = gains[map], next = want.first_run }
    want.searches[map] = search
  end
  local size, count = 2 ^ (n - 1), 0
  for at = 1, #search do
    local run = search[at]
    search[at] = nil
    if not run.is_changed or (neat and run.neat or run.any) % (2 * size) >= size then
      count = count + 1
      search[count] = run
    end
  end
  while count < LOOK_AHEAD and search.next < want.end_run do
    local first = map * stride
    local bit = redis.call('BITPOS', GAPS, 1, first + search.next, first + want.end_run - 1, 'BIT')
    if bit < 0 then
      search.next = want.end_run
    else
      local run = run_at(bit - first)
      search.next = run.position + 1
      if not run.is_changed or (neat and run.neat or run.any) % (2 * size) >= size then
        count = count + 1
        search[count] = run
      end
    end
  end
  return search
end

local function compare(want, n, neat)
  local best_run, best, best_first
  for _, run in ipairs(candidates(want, n, neat)) do
    local score, first = window_in(run, n, neat)
    if not best or score < best then best_run, best, best_first = run, score, first end
  end
  return best_run, best_first
end

-- The run and the first seat of the best window for n, or nil.
local function find(want, n)
  look_again_at_moved()
  local run, first = compare(want, n, true)
  if run then return run, first end
  return compare(want, n, false)
end

-- Takes a window of available seats of one run: as many moves would, in a third of the time.
local function take_window(run, first, past)
  if not run.neat then enter(run) end
  for ticket = first, past - 1 do
    local window, offset = window_at(ticket)
    local free = free_of(window, ticket - offset)
    local eighth, quarter = offset % 8, offset % 4
    local at = (offset - eighth) / 8 + 1
    free[at] = free[at] - BIT[eighth]
    at = (offset - quarter) / 4 + 1
    window.states[at] = window.states[at] + PAIR[quarter]
  end
  local at = 5 * run.pool
  tally[at + 1], tally[at + 2] = tally[at + 1] - (past - first), tally[at + 2] + (past - first)
  local left = {}
  for at = 1, #run.stretches, 2 do
    local from, to = run.stretches[at], run.stretches[at + 1]
    if first >= to or past <= from then
      left[#left + 1], left[#left + 2] = from, to
    else
      if from < first then left[#left + 1], left[#left + 2] = from, first end
      if past < to then left[#left + 1], left[#left + 2] = past, to end
    end
  end
  run.stretches = left
  note_change(run)
  look_again(run)
end

