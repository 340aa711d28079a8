// What every page runs.  Each module minds its own elements, and does nothing where there are none.

import * as floor from "./floor.js";
import * as keys from "./keys.js";
import * as theme from "./theme.js";
import * as time from "./time.js";

for (const module of [time, theme, keys, floor]) module.start();
