-- wrk's side of a run: which request it sends, and what it says at the end.
-- Arguments after `--`: method, path, body (empty for none). The request never changes, so wrk keeps it as bytes
-- and does not call into Lua while it measures.

function init(args)
  wrk.method = args[1]
  wrk.path = args[2]
  if args[3] ~= "" then
    wrk.body = args[3]
    wrk.headers["Content-Type"] = "application/json"
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
