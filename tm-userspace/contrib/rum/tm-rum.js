// Real user measurements: how far a visitor is from your regions, told to Traffic Manager for its performance profiles.
//
//   <script async src="/tm-rum.js" data-intake="https://tm.example.com:8443/rum" data-key="32 hexadecimal digits"
//           data-regions='{"West Europe": "https://eu.example.com/pixel.gif", "East US": "https://us.example.com/pixel.gif"}'></script>
//
// The key is that of the subscription (PUT .../providers/Microsoft.Network/trafficManagerUserMetricsKeys/default). Each URL is to answer at once, with little.
// Up to six regions are measured a visit, two seconds after the page is there; nothing is stored in the browser, and no cookie is sent.
(function () {
  "use strict";
  var settings = document.currentScript.dataset;
  var MOST = 6;

  // How long the first octet of an answer takes, on a connection that stands.
  async function measure(url) {
    async function ask() {
      var address = url + (url.includes("?") ? "&" : "?") + "tm-rum=" + Math.random().toString(36).slice(2);
      var began = performance.now();
      await fetch(address, { mode: "no-cors", cache: "no-store", credentials: "omit" });
      var whole = performance.now() - began;
      // Told to others only where the answer has Timing-Allow-Origin.
      var entry = performance.getEntriesByName ? performance.getEntriesByName(address).pop() : undefined;
      return entry && entry.responseStart > 0 ? entry.responseStart - entry.requestStart : whole;
    }
    await ask();
    return ask();
  }

  async function run() {
    var regions = Object.entries(JSON.parse(settings.regions));
    regions.sort(function () { return Math.random() - 0.5; });
    var samples = [];
    for (var region of regions.slice(0, MOST)) {
      try {
        samples.push({ region: region[0], ms: await measure(region[1]) });
      } catch (unreachable) {
        // Says nothing of how far it is.
      }
    }
    if (samples.length > 0) {
      navigator.sendBeacon(settings.intake, JSON.stringify({ key: settings.key, samples: samples }));
    }
  }

  function begin() { setTimeout(run, 2000); }
  if (document.readyState === "complete") begin(); else addEventListener("load", begin);
})();
