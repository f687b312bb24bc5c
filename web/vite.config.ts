// Builds the browser's part of Nacre and the request handler that the server mounts.
// `vite dev` talks to a running server named by NACRE_DEV_API (for example http://localhost:3000).
import adapter from '@sveltejs/adapter-node';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';
import { messages } from './src/lib/i18n/plugin.ts';

const devApi = process.env.NACRE_DEV_API;

// The router's announcer (a region for screen readers) carries the only style attribute that a page may have.
// This is its hash, taken from the kit version pinned in package.json; tests/e2e fails on a refused style.
const announcerStyle = 'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo=';

export default defineConfig({
  plugins: [
    messages(),
    sveltekit({
      compilerOptions: { runes: true },
      adapter: adapter({ out: 'build', precompress: true }),
      csp: {
        mode: 'auto',
        directives: {
          'default-src': ['none'],
          'script-src': ['self'],
          'style-src': ['self'],
          'style-src-attr': ['unsafe-hashes', announcerStyle],
          'img-src': ['self', 'data:', 'blob:'],
          'font-src': ['self'],
          'media-src': ['self', 'blob:'],
          'connect-src': ['self'],
          'worker-src': ['self', 'blob:'],
          'manifest-src': ['self'],
          'frame-src': ['self'],
          'frame-ancestors': ['self'],
          'form-action': ['self'],
          'base-uri': ['none'],
        },
      },
      // A file of a few rules costs a round trip before anything is drawn.
      inlineStyleThreshold: 6144,
      // Registered by the root layout, after the first frame.
      serviceWorker: { register: false },
      version: { pollInterval: 0 },
    }),
  ],
  build: {
    // A file inlined as a data: address would be refused by font-src; every asset keeps its own address.
    assetsInlineLimit: 0,
  },
  environments: {
    client: {
      build: {
        rolldownOptions: {
          output: {
            // What several pages share is many small modules; a request each costs more than its bytes.
            codeSplitting: {
              groups: [
                { name: 'framework', test: /node_modules/, minShareCount: 5 },
                { name: 'everywhere', minShareCount: 5 },
              ],
            },
          },
        },
      },
    },
  },
  // The show page's first script is bundled as workers are, by itself and with an address of its own.
  worker: { format: 'es' },
  server: devApi
    ? {
        proxy: {
          // The short form would name the server as host, and it refuses what another site's page sends.
          '/api': { target: devApi },
          '/blobs': { target: devApi },
          '/whip': { target: devApi },
          '/live': { target: devApi, ws: true },
          '/realtime': { target: devApi, ws: true },
        },
      }
    : {},
});
