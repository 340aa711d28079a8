// What the page of one session runs.

import * as curve from "./curve.js";
import * as film from "./film.js";
import * as frame from "./frame.js";
import * as panels from "./panels.js";
import * as steps from "./steps.js";

for (const module of [panels, frame, curve, steps, film]) module.start();
