-- wrk's side of a run: which request it sends, and what it says at the end.
-- Arguments after `--`: method, path, body (empty for none), and `keyed` for a new Idempotency-Key with every request.
-- Without keys the request never changes, so wrk keeps it as bytes and does not call into Lua while it measures.

function init(args)
  wrk.method = args[1]
  wrk.path = args[2]
  if args[3] ~= "" then
    wrk.body = args[3]
    wrk.headers["Content-Type"] = "application/json"
  end
  if args[4] == "keyed" then
    -- As long as a UUID, made for little: what the load takes of the processor, the server lacks.
    local seed = (os.time() + tonumber(tostring({}):match("0x(%x+)"), 16)) % 4294967296
    local place = "00000000-0000-0000-0000-000000000000"
    wrk.headers["Idempotency-Key"] = place
    local text = wrk.format()
    local from, to = text:find(place, 1, true)
    local head = text:sub(1, from - 1) .. string.format("%08x-0000-4000-8000-", seed)
    local tail = text:sub(to + 1)
    local count = 100000000000
    request = function()
      count = count + 1
      return head .. count .. tail
    end
  end
end

-- One line of JSON, times in microseconds. `refused` are answers with a status of 400 and above.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"durationUs":%d,"refused":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,' ..
    '"p50":%d,"p90":%d,"p99":%d,"p999":%d,"max":%d}\n',
    summary.requests, summary.duration, errors.status, errors.connect, errors.read, errors.write, errors.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency:percentile(99.9),
    latency.max
  ))
end
