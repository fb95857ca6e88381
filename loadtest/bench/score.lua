-- wrk's side of the benchmark: rotates API keys and bodies, counts statuses, checks 200 bodies.
--
-- wrk -s score.lua URL -- KEYS_FILE BODIES_FILE ACTIVE_SECONDS
--
-- New requests stop after ACTIVE_SECONDS; wrk itself runs a little longer, so that what is in
-- flight is answered and counted: each answer that was charged is seen. One thread only (-t1).

local ffi = require("ffi")
ffi.cdef([[
  typedef struct { long tv_sec; long tv_nsec; } farebox_timespec;
  int clock_gettime(int clock, farebox_timespec *now);
]])

local CLOCK_MONOTONIC = jit.os == "OSX" and 6 or 1
local NEVER_MILLISECONDS = 3600 * 1000
local now = ffi.new("farebox_timespec")

-- wrk calls request() once before it connects, to verify it: that call sends nothing.
sent, in_time, wrong, wrong_body, statuses = -1, 0, 0, "", {}

local requests, active_seconds, deadline = {}, 0, nil
local thread_ref

local function seconds()
  ffi.C.clock_gettime(CLOCK_MONOTONIC, now)
  return tonumber(now.tv_sec) + tonumber(now.tv_nsec) / 1e9
end

local function read_lines(path)
  local lines = {}
  for line in io.lines(path) do
    if #line > 0 then lines[#lines + 1] = line end
  end
  return lines
end

function setup(thread)
  thread_ref = thread
end

function init(args)
  local keys, bodies = read_lines(args[1]), read_lines(args[2])
  active_seconds = tonumber(args[3])
  for n = 1, #keys * #bodies do
    requests[n] = wrk.format("POST", wrk.path, {
      ["Authorization"] = "Bearer " .. keys[(n - 1) % #keys + 1],
      ["Content-Type"] = "application/json",
    }, bodies[(n - 1) % #bodies + 1])
  end
end

-- wrk asks for the delay before each request but a connection's first.
function delay()
  if deadline and seconds() >= deadline then return NEVER_MILLISECONDS end
  return 0
end

function request()
  sent = sent + 1
  if sent == 1 then deadline = seconds() + active_seconds end
  return requests[sent % #requests + 1]
end

function response(status, headers, body)
  statuses[status] = (statuses[status] or 0) + 1
  if seconds() < deadline then in_time = in_time + 1 end
  if status == 200 and not body:find('"probability":', 1, true) then
    wrong = wrong + 1
    wrong_body = body:sub(1, 200)
  end
end

local function status_counts()
  local parts = {}
  for status, count in pairs(thread_ref:get("statuses")) do
    parts[#parts + 1] = string.format('"%d": %d', status, count)
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nSCORE {"sent": %d, "in_time": %d, "wrong": %d, "statuses": %s, "p50_us": %d, "p99_us": %d, '
      .. '"socket_errors": %d, "timeouts": %d}\n',
    thread_ref:get("sent"), thread_ref:get("in_time"), thread_ref:get("wrong"), status_counts(),
    latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write, errors.timeout))
  local sample = thread_ref:get("wrong_body")
  if #sample > 0 then io.write("WRONG ", sample:gsub("%s+", " "), "\n") end
end
