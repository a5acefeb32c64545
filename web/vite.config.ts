import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

/** `npm run dev` talks to a thorax that serves here (`THORAX_DEV_SERVER=http://127.0.0.1:PORT npm run dev`). */
const server = process.env["THORAX_DEV_SERVER"] ?? "http://127.0.0.1:8750";

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: "dist",
    assetsDir: "assets",
    // The content security policy allows neither inline code nor data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    reportCompressedSize: true,
  },
  server: { host: "127.0.0.1", proxy: { "/api": { target: server, changeOrigin: true } } },
});
