// Starts the chat server in one isolate.

import { runProgram } from "@hubbub/hub/service";

await runProgram();
