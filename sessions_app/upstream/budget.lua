-- One account's budget of requests.  KEYS[1] is a hash, times are seconds of Redis' own clock, so that all workers agree
-- (ARGV[1] overrides it, for tests).  ARGV[2…]: take purpose wanted reserve share | spend purpose count | accepted |
-- refused seconds jitter count, where -1 seconds means that the vendor did not say.
--
--   tokens at rate     a bucket: `tokens` as of `at`, filled at `rate` a second
--   ceiling            the rate at which we were last refused; 0: never
--   blocked_until      nobody but a stop may ask before
--   believed_until     for so long the ceiling is taken for the vendor's limit
--   limited_at strikes when we were last refused, and how often in a row without anything accepted in between
--   accepted_at        when somebody who asked after a pause was first answered
--   top surprises      the ceiling when we last asked for as much as was allowed, and how often we were refused below it since
--   random_until       refusals seem not to depend on the rate, and it is not lowered for them; what came of that so far:
--   trial_at trial_sent trial_refused trial_worth   (the last: what must get through a second for it to be worth the refusals)
--   sure_until         they do depend on it: nobody tries for so long whether they don't
--   short_at grown_at  when somebody last got less than they asked for, and when the rate last rose for it
--   lean_at            when somebody who goes before others last got less than they asked for
--   open_at            the same of what somebody has open, until it gets all that it asks for
--   width narrowed_at  how many seconds' worth the bucket holds, and when it was last found too wide
--   used used_at       requests of about the last second
--   long long_at since of about the last LONG_S, and since when they are counted: the last pause, or the last rest
--   all all:…          which ten seconds these are, and what was served in them and in those of the minute before
--   lives lives:…      the same of what was served for those who go before what may wait
--   run run_at paused_at    what was served since the last pause ended, since when, and when the vendor stopped it
--   run_since run_before foretold    what was served since, what in the run before, and whether the vendor said how long
--   window_until misses no_window_until    how long the vendor is believed to count by a window, how often it refused us
--                      soon all the same, and until when nothing of the kind is concluded
--   share:… share_at:… sent:… denied:…   by purpose; a share is a little bucket that higher purposes cannot empty
local START_RATE, LEAST_RATE, MOST_RATE = 20, 0.2, 500
local WIDE_S, NARROW_S = 2, 1         -- the bucket holds so many seconds' worth: before and after the first refusal
local BURSTY, LEAST_BURST = 1.2, 1.5  -- to have asked for so much more in a second than in five is a burst, if of so many
local CALM_S = 5                      -- no growth sooner after a refusal
local FORGET_S, DOUBT_S = 600, 150    -- a ceiling is believed for so long: where all was asked for, and where less was
-- Of the ceiling per second of need: how fast the rate grows, from NEAR of it on, and from CLOSE to it on.
local GROWTH, NEAR, CREEP, CLOSE, CRAWL = 0.05, 0.9, 0.001, 0.95, 0.0003
local FEEL = 0.01                     -- of the rate per second of need: how it grows past a ceiling that is believed no more
local ENOUGH, ENOUGH_TENS = 0.93, 3   -- who used less of the rate than that, in so many tens of seconds, has enough
local LONGEST_PAUSE_S = 60
local KEPT_S = 7 * 86400
local SMALL, RESERVE_OF_SWEEPS, BORROWED, LEAN_S, OPEN_S = 3, 0.25, 0.25, 4, 0.5
local LONG_S, CAPACITY_S, BURST = 5, 1, 0.75  -- most vendors have a bucket, too: of a second's worth, says experience
-- Who asks less than the ceiling is left alone for longer than RELIEF_S.  After more surprises in a row refusals are taken
-- for chance until none has come for RANDOM_S, unless after FEW of them not even WORTH times as much gets through.
local RELIEF_S, SURPRISES, RANDOM_S, RANDOM_OF_TOP = 100, 3, 120, 2
local TRIAL, FEW, WORTH, SURE_S = 100, 8, 1.5, 120
-- Runs of at most WINDOW_S, alike to so many requests or that part of them, between pauses of at least so long: a window.
local WINDOW_PAUSE_S, WINDOW_S, ALIKE, ALIKE_PART, MISSES = 5, 100, 2, 0.03, 3
local TEN_S, TENS = 10, 7

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
local width = get('width', NARROW_S)
local function hold(seconds) width = seconds; put('width', width) put('narrowed_at', now) end
if width < NARROW_S and now - get('narrowed_at', now) > FORGET_S then hold(math.min(NARROW_S, 1.5 * width)) end
local function burst() return math.max(1, rate * (ceiling == 0 and WIDE_S or width)) end
local elapsed = math.max(0, now - math.max(get('at', now), blocked_until))
local tokens = math.min(burst(), get('tokens', burst()) + rate * elapsed)
local used = get('used', 0) * math.exp(get('used_at', now) - now)
local long, since = get('long', 0) * math.exp((get('long_at', now) - now) / LONG_S), get('since', now)
if long < 0.5 then since = now end

local function is_random() return now < get('random_until', 0) end

local function count_in_tens(whose, count)
  local ten, last = math.floor(now / TEN_S), get(whose, 0)
  for one = math.max(last + 1, ten - TENS + 1), ten do put(whose .. ':' .. one % TENS, 0) end
  put(whose, ten)
  put(whose .. ':' .. ten % TENS, get(whose .. ':' .. ten % TENS, 0) + count)
end

-- Per second, over so many tens of seconds, of which the last is under way.
local function served_of_late(whose, tens)
  count_in_tens(whose, 0)
  local served, ten = 0, math.floor(now / TEN_S)
  for one = ten - tens + 1, ten do served = served + get(whose .. ':' .. one % TENS, 0) end
  return math.max(0, served) / ((tens - 1) * TEN_S + now % TEN_S)
end

local function spend(purpose, count)
  tokens, used, long = tokens - count, used + count, long + count
  local run = get('accepted_at', 0) < limited_at and 'run_since' or 'run'
  put(run, get(run, 0) + count) put('run_at', get('run_at', now))
  count_in_tens('all', count)
  if is_random() then put('trial_sent', get('trial_sent', 0) + count) end
  put('sent:' .. purpose, get('sent:' .. purpose, 0) + count)
end

-- A sweep asks for all of its pages at once and waits a moment for the last: that is not to need more.  What may wait
-- uses whatever there is, so it does not count.
local function has_enough()
  local long_ago = now - blocked_until > ENOUGH_TENS * TEN_S
  return burst() >= SMALL and long_ago and served_of_late('lives', ENOUGH_TENS) < ENOUGH * rate
end

-- Nobody tries where the limit is for what may wait: to be refused makes everything old for some seconds.
local function grow(may_wait)
  local since = math.min(1, now - get('grown_at', now - 0.1))
  put('grown_at', now)
  if now - limited_at < CALM_S and not is_random() then return end
  local slope = GROWTH * ceiling
  if ceiling == 0 then slope = rate
  elseif rate >= (is_random() and RANDOM_OF_TOP or NEAR) * ceiling then
    local believed = now < get('believed_until', 0)
    if has_enough() or may_wait and believed then return end
    slope = (believed or may_wait) and (rate < CLOSE * ceiling and CREEP or CRAWL) * ceiling or FEEL * rate
  end
  rate = math.min(MOST_RATE, rate + slope * since)
end

-- What is left for those who go before.  In a bucket of one there is nothing to leave, and where sweeps go short of what
-- they need nothing is left over: then the lower purposes live on their shares alone, and so do sweeps while what is open waits.
local function left_for_others(reserve, is_low)
  local is_small = burst() < SMALL
  local is_lean = is_low and (is_small or now - get('lean_at', 0) < LEAN_S)
  local is_behind = is_small and reserve >= 0 and now - get('open_at', 0) < OPEN_S
  return (is_lean or is_behind) and burst() or reserve * (burst() - 1)
end

-- Of one's own share.  That of sweeps is theirs even where what is open has borrowed all that may be borrowed, and asks more
-- often: they go below that, and it waits.
local function owed(mine, share, is_low)
  local least = is_low and 0 or -BORROWED * (burst() - 1)
  if not is_low and burst() >= SMALL then least = least - math.max(1, share * burst()) end
  return tokens - least >= 0.5 and math.min(math.floor(mine), math.floor(tokens - least) + 1) or 0
end

local function take(purpose, wanted, reserve, share)
  if now < blocked_until then
    put('denied:' .. purpose, get('denied:' .. purpose, 0) + wanted)
    put('short_at', now)
    return {0, string.format('%.3f', blocked_until - now), 0}
  end
  local is_low = reserve > RESERVE_OF_SWEEPS
  local kept = left_for_others(reserve, is_low)
  local earned = share * rate * math.max(0, now - math.max(get('share_at:' .. purpose, now), blocked_until))
  local mine = math.min(math.max(1, share * burst()), get('share:' .. purpose, 1) + earned)
  local free = math.floor(tokens - kept + 1e-9)
  local granted = math.max(0, math.min(wanted, math.max(free, share > 0 and owed(mine, share, is_low) or 0)))
  spend(purpose, granted)
  if not is_low then count_in_tens('lives', granted) end
  if share > 0 then
    put('share:' .. purpose, math.max(0, mine - granted))
    put('share_at:' .. purpose, now)
  end
  if reserve < 0 then put('open_at', granted < wanted and now or 0) end
  local wait = 0
  if granted < wanted then
    put('denied:' .. purpose, get('denied:' .. purpose, 0) + wanted - granted)
    put('short_at', now)
    if not is_low then put('lean_at', now) end
    grow(is_low)
    wait = math.max(0.02, (1 + (is_low and math.min(kept, burst() - 1) or reserve * (burst() - 1)) - tokens) / rate)
    if share > 0 and not is_low then wait = math.max(0.02, math.min(wait, (1 - mine + granted) / (share * rate))) end
  end
  return {granted, string.format('%.3f', wait), get('accepted_at', 0) < limited_at and 1 or 0}
end

local function asked_of_late() return long / math.max(0.1, LONG_S * (1 - math.exp((since - now) / LONG_S))) end

-- What the vendor bore: what fitted into its bucket at once is no rate.  Who asks in bursts overflows it, though
-- its sustained rate is lower than what is allowed: then the burst tells more.
local function sustained()
  local fresh = math.exp((since - now) / LONG_S)
  return long / (LONG_S * (1 - fresh) + CAPACITY_S * fresh)
end

local function borne() return math.max(BURST * used, sustained()) end

local function lower(to, part, believed_s)
  ceiling, rate = math.max(LEAST_RATE, to), math.max(LEAST_RATE, to * part)
  put('believed_until', now + believed_s)
end

local function take_for_chance()
  put('random_until', now + RANDOM_S)
  put('believed_until', now + RANDOM_S)
end

local function try_without_lowering()
  put('trial_at', now) put('trial_sent', 0) put('trial_refused', 0) put('trial_worth', rate * WORTH)
  ceiling = get('top', ceiling)
  rate = math.max(rate, ceiling)
  take_for_chance()
end

-- A vendor with a limit leaves those alone who keep below it.  One that refuses them again and again, however far the rate
-- was lowered, refuses by chance or for reasons of its own: to ask less only means to know less.  And one that refuses
-- those who ask for much at once, after less, has a smaller bucket, or counts in seconds: it may bear the same, evenly.
local function learn(jitter)
  if ceiling > 0 and burst() > LEAST_BURST and used > BURSTY * asked_of_late() then return hold(math.max(1 / rate, width / 2)) end
  local asked = math.min(rate, used, borne())
  local soon = ceiling > 0 and now - math.max(limited_at, blocked_until) < RELIEF_S
  local surprise = soon and asked < ceiling
  put('surprises', soon and get('surprises', 0) + (surprise and 1 or 0) or 0)
  if get('surprises', 0) > SURPRISES and now >= get('sure_until', 0) then
    put('surprises', 0)
    return try_without_lowering()
  end
  -- Where it was expected, after a long time in which it was kept, the limit is the old one: no need to feel for it anew.
  local known = not soon and asked >= NEAR * ceiling and asked * NEAR <= ceiling
  local part = known and 0.8 + 0.1 * jitter or 0.6 + 0.2 * jitter
  lower(math.max(rate / 4, asked), part, surprise and DOUBT_S or FORGET_S)
  if not soon then put('top', ceiling) end
end

local function go_on_trying()
  local sent, refused = get('trial_sent', 0), get('trial_refused', 0)
  local through = (sent - refused) / math.max(1, now - get('trial_at', now))
  if refused >= FEW and through < get('trial_worth', 0) then
    put('random_until', 0) put('sure_until', now + SURE_S)
    return lower(through, 0.9, DOUBT_S)
  end
  take_for_chance()
  if sent > TRIAL then
    put('trial_sent', sent / 2) put('trial_refused', refused / 2) put('trial_at', (now + get('trial_at', now)) / 2)
  end
end

-- So many a minute, all taken in the first seconds, leaves nothing for the rest of it: asked evenly, the same number
-- keeps everything fresh.  Such a vendor stops everybody after the same number each time, is right when it says how long,
-- and what it served from the end of one pause to the end of the next is what it bears.
local function learn_window(began, paused)
  local ran, waited, run = paused - began, now - paused, get('run', 0)
  local is_alike = math.abs(run - get('run_before', 0)) <= math.max(ALIKE, ALIKE_PART * run)
  put('run_before', run)
  if ran > WINDOW_S then return put('misses', 0) end
  put('misses', now < get('window_until', 0) and get('misses', 0) + 1 or 0)
  if get('misses', 0) >= MISSES then  -- refused soon, at whatever rate: that is no window
    put('misses', 0) put('window_until', 0) put('no_window_until', now + FORGET_S)
    return try_without_lowering()
  end
  local bears = math.max(run / (now - began), served_of_late('all', TENS))
  if bears >= ceiling or not (is_alike or now < get('window_until', 0)) then return end
  lower(bears, 0.9, FORGET_S)
  put('window_until', now + FORGET_S)
  put('surprises', 0) put('random_until', 0)
end

local function accepted()
  if get('accepted_at', 0) >= limited_at then return end  -- others had asked at the same moment
  local paused = get('paused_at', now)
  local as_said = get('strikes', 0) == 1 or get('foretold', 0) == 0
  if as_said and now - paused >= WINDOW_PAUSE_S and now >= get('no_window_until', 0) then
    learn_window(get('run_at', now), paused)
  end
  put('accepted_at', now) put('run_at', now)
  put('run', get('run_since', 0)) put('run_since', 0)
end

local function refused(retry_after, jitter, count)
  local run = get('accepted_at', 0) < limited_at and 'run_since' or 'run'
  put(run, math.max(0, get(run, 0) - count))
  count_in_tens('all', -count)
  if is_random() then put('trial_refused', get('trial_refused', 0) + count) end
  local fresh = now - limited_at > 1  -- answers to one and the same burst count once
  if fresh then
    -- Who is refused by the first answer after a pause learns that the pause was too short, and nothing about rates.
    local still = limited_at > 0 and get('accepted_at', 0) < limited_at
    if still then put('strikes', get('strikes', 0) + 1)
    else
      put('strikes', 1)
      put('paused_at', now) put('foretold', retry_after < 0 and 0 or 1)
      if is_random() then go_on_trying() else learn(jitter) end
    end
    put('limited', get('limited', 0) + 1)
    put('limited_at', now)
  end
  local pause = retry_after
  if pause < 0 then pause = math.min(LONGEST_PAUSE_S, 0.5 * 2 ^ (get('strikes', 1) - 1)) end
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
elseif ARGV[2] == 'accepted' then
  accepted()
else
  answer = refused(tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]))
end
put('rate', rate) put('ceiling', ceiling) put('tokens', tokens) put('at', now) put('used', used) put('used_at', now)
put('long', long) put('long_at', now) put('since', since)
local fields = {}
for name, value in pairs(changed) do fields[#fields + 1] = name; fields[#fields + 1] = value end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('EXPIRE', KEYS[1], KEPT_S)
return answer
