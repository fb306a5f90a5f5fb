// The views: a file's script cannot load them by name. The same names as in web/views/__init__.py: a test says so.

import * as boards from "../views/boards.js";
import * as clinician from "../views/clinician.js";
import * as faults from "../views/faults.js";
import * as leads from "../views/leads.js";
import * as lessons from "../views/lessons.js";
import * as radio from "../views/radio.js";
import * as run from "../views/run.js";

export const modules = { boards, clinician, faults, leads, lessons, radio, run };
