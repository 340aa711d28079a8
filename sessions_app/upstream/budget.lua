-- One account's budget of requests.  KEYS[1] is a hash, times are seconds of Redis' own clock, so that all workers agree
-- (ARGV[1] overrides it, for tests).  ARGV[2…]: take purpose wanted reserve share | spend purpose count | refused
-- seconds jitter, where -1 seconds means that the vendor did not say.
--
--   tokens at rate     a bucket: `tokens` as of `at`, filled at `rate` a second
--   ceiling            the rate at which we were last refused; 0: never
--   blocked_until      nobody but a stop may ask before
--   limited_at strikes when we were last refused, and how often in a row without being told for how long
--   short_at grown_at  when somebody last got less than they asked for, and when the rate last rose for it
--   lean_at            when somebody who goes before others last got less than they asked for
--   used used_at       requests of about the last second
--   long long_at since of about the last LONG_S, and since when they are counted: the last pause, or the last rest
--   share:… share_at:… sent:… denied:…   by purpose; a share is a little bucket that higher purposes cannot empty
local START_RATE, LEAST_RATE, MOST_RATE = 20, 0.2, 500
local WIDE_S, NARROW_S = 2, 1         -- the bucket holds so many seconds' worth: before and after the first refusal
local CALM_S, FORGET_S = 5, 600       -- no growth sooner after a refusal; a ceiling is believed for so long
local GROWTH, NEAR, CREEP = 0.05, 0.9, 0.0004   -- of the ceiling per second of need; from NEAR of it on, only creeping
local LONGEST_PAUSE_S = 60
local KEPT_S = 7 * 86400
local SMALL, RESERVE_OF_SWEEPS, LEAN_S = 3, 0.25, 4
local LONG_S, CAPACITY_S, BURST = 5, 1, 0.75  -- most vendors have a bucket, too: of a second's worth, says experience

local clock = redis.call('TIME')
local now = tonumber(ARGV[1]) or tonumber(clock[1]) + tonumber(clock[2]) / 1e6
local raw = redis.call('HGETALL', KEYS[1])
local state = {}
for i = 1, #raw, 2 do state[raw[i]] = tonumber(raw[i + 1]) end
local function get(name, default) return state[name] or default end
local changed = {}
local function put(name, value) state[name] = value; changed[name] = string.format('%.6f', value) end

local rate, ceiling = get('rate', START_RATE), get('ceiling', 0)
local blocked_until, limited_at = get('blocked_until', 0), get('limited_at', 0)
local function burst() return math.max(1, rate * (ceiling == 0 and WIDE_S or NARROW_S)) end
local elapsed = math.max(0, now - math.max(get('at', now), blocked_until))
local tokens = math.min(burst(), get('tokens', burst()) + rate * elapsed)
local used = get('used', 0) * math.exp(get('used_at', now) - now)
local long, since = get('long', 0) * math.exp((get('long_at', now) - now) / LONG_S), get('since', now)
if long < 0.5 then since = now end

local function spend(purpose, count)
  tokens, used, long = tokens - count, used + count, long + count
  put('sent:' .. purpose, get('sent:' .. purpose, 0) + count)
end

local function grow()
  local since = math.min(1, now - get('grown_at', now - 0.1))
  put('grown_at', now)
  if now - limited_at < CALM_S then return end
  local slope = GROWTH * ceiling
  if ceiling == 0 then slope = rate
  elseif rate >= NEAR * ceiling and now - limited_at < FORGET_S then slope = CREEP * ceiling end
  rate = math.min(MOST_RATE, rate + slope * since)
end

local function take(purpose, wanted, reserve, share)
  if now < blocked_until then
    put('denied:' .. purpose, get('denied:' .. purpose, 0) + wanted)
    put('short_at', now)
    return {0, string.format('%.3f', blocked_until - now)}
  end
  -- In a bucket of one there is nothing to leave for others, and where sweeps go short nothing is left over: then the
  -- lower purposes live on their shares alone.
  local kept, is_low = reserve * (burst() - 1), reserve > RESERVE_OF_SWEEPS
  if is_low and (burst() < SMALL or now - get('lean_at', 0) < LEAN_S) then kept = burst() end
  local earned = share * rate * math.max(0, now - math.max(get('share_at:' .. purpose, now), blocked_until))
  local mine = math.min(math.max(1, share * burst()), get('share:' .. purpose, 1) + earned)
  local free = math.floor(tokens - kept + 1e-9)
  local owed = share > 0 and tokens >= 0.5 and math.min(math.floor(mine), math.floor(tokens) + 1) or 0
  local granted = math.max(0, math.min(wanted, math.max(free, owed)))
  spend(purpose, granted)
  if share > 0 then
    put('share:' .. purpose, math.max(0, mine - granted))
    put('share_at:' .. purpose, now)
  end
  local wait = 0
  if granted < wanted then
    put('denied:' .. purpose, get('denied:' .. purpose, 0) + wanted - granted)
    put('short_at', now)
    if not is_low then put('lean_at', now) end
    grow()
    wait = math.max(0.02, (1 + math.min(kept, burst() - 1) - tokens) / rate)
  end
  return {granted, string.format('%.3f', wait)}
end

-- What the vendor bore: what fitted into its bucket at once is no rate.  Who asks in bursts overflows it, though
-- its sustained rate is lower than what is allowed: then the burst tells more.
local function borne()
  local fresh = math.exp((since - now) / LONG_S)
  return math.max(BURST * used, long / (LONG_S * (1 - fresh) + CAPACITY_S * fresh))
end

local function refused(retry_after, jitter)
  local fresh = now - limited_at > 1  -- answers to one and the same burst count once
  if fresh then
    local cut = math.max(rate / 4, math.min(rate, used, borne()))
    ceiling = math.max(LEAST_RATE, cut)
    rate = math.max(LEAST_RATE, cut * (0.6 + 0.2 * jitter))
    put('limited', get('limited', 0) + 1)
    local quiet = now - math.max(limited_at, blocked_until) > 30
    put('strikes', quiet and 1 or get('strikes', 0) + 1)
    put('limited_at', now)
  end
  local pause = retry_after
  if pause < 0 then pause = math.min(LONGEST_PAUSE_S, 0.5 * 2 ^ get('strikes', 1)) end
  if fresh or retry_after >= 0 then
    blocked_until = math.max(blocked_until, now + pause * (1 + 0.1 * jitter))
    put('blocked_until', blocked_until)
    long, since = 0, blocked_until
  end
  tokens = math.min(tokens, 0)
  return {}
end

local answer = {}
if ARGV[2] == 'take' then
  answer = take(ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]))
elseif ARGV[2] == 'spend' then
  spend(ARGV[3], tonumber(ARGV[4]))
  tokens = math.max(tokens, -burst())
else
  answer = refused(tonumber(ARGV[3]), tonumber(ARGV[4]))
end
put('rate', rate) put('ceiling', ceiling) put('tokens', tokens) put('at', now) put('used', used) put('used_at', now)
put('long', long) put('long_at', now) put('since', since)
local fields = {}
for name, value in pairs(changed) do fields[#fields + 1] = name; fields[#fields + 1] = value end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('EXPIRE', KEYS[1], KEPT_S)
return answer
