// All companies: what rings and what the day brought, as it changes. Without this file it is a plain page that works.

import { follow } from "./stream.js";
import { refresher } from "./refresh.js";

follow(refresher(["figures", "companies"]), () => {});
