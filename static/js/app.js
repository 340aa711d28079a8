// What every page runs.  Each module minds its own elements, and does nothing where there are none.

import * as dialog from "./dialog.js";
import * as floor from "./floor.js";
import * as keys from "./keys.js";
import * as palette from "./palette.js";
import * as polls from "./polls.js";
import * as push from "./push.js";
import * as select from "./select.js";
import * as stream from "./stream.js";
import * as theme from "./theme.js";
import * as time from "./time.js";
import * as wall from "./wall.js";
import * as zone from "./zone.js";

for (const module of [zone, time, dialog, theme, keys, floor, palette, polls, select, push, wall, stream]) module.start();
