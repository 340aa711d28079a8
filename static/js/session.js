// What the page of one session runs.

import * as curve from "./curve.js";
import * as film from "./film.js";
import * as frame from "./frame.js";
import * as panels from "./panels.js";

for (const module of [panels, frame, curve, film]) module.start();
