-- Finds the best window of seats for a party, by the rule of best-seats.ts. It stands after seats.lua.
local LOOK_AHEAD = 4

-- The best window for n in one run: its score and first seat; nil when there is none.
local function window_in(run, n, neat)
  local key = neat and n or n + PARTY
  run.windows = run.windows or {}
  local known = run.windows[key]
  if known then return known.score, known.first end
  local stretches, anchor, wanted = stretches_of(run), run.anchor, run.focus - n + 1
  local best, best_first
  for at = 1, #stretches, 2 do
    local first, past = stretches[at], stretches[at + 1] - n
    local from, last = first, past
    if anchor >= 0 then from, last = math.max(first, anchor - n + 1), math.min(past, anchor) end
    if from <= last then
      -- Nothing is better than the nearest to the focus; where that leaves a single seat, its neighbours do not.
      local nearest = math.min(math.max(math.floor(wanted / 2), from), last)
      for start = math.max(nearest - 2, from), math.min(nearest + 3, last) do
        if not neat or anchor >= 0 or (start - first ~= 1 and past - start ~= 1) then
          local score = math.abs(2 * start - wanted)
          if not best or score < best then best, best_first = score, start end
        end
      end
    end
  end
  known = { score = best and best + run.base, first = best_first }
  run.windows[key] = known
  return known.score, known.first
end

-- Of the first runs that have a window for n: the first seat of the best one.
local function compare(first_run, end_run, n, neat)
  local map = (neat and n - 1 or n - 1 + PARTY) * stride
  local at, best, best_first = first_run, nil, nil
  for _ = 1, LOOK_AHEAD do
    if at >= end_run then break end
    local bit = redis.call('BITPOS', ROOMS, 1, map + at, map + end_run - 1, 'BIT')
    if bit < 0 then break end
    at = bit - map
    local score, first = window_in(run_at(at), n, neat)
    if not score then error({ err = 'CORRUPT a run has less room than is said of it' }) end
    if not best or score < best then best, best_first = score, first end
    at = at + 1
  end
  return best_first
end

-- The first seat of the best window for n, or nil.
local function find(first_run, end_run, n)
  write_rooms()
  return compare(first_run, end_run, n, true) or compare(first_run, end_run, n, false)
end

