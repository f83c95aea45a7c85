import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const target = "http://localhost:8000";

export default defineConfig({
  plugins: [react()],
  // While you work, the page comes from Vite, the chat and the tokens from vite_react.ts.
  server: { proxy: { "/chat": { target, ws: true }, "/token": { target } } },
});
