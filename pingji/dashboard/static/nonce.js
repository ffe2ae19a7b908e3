/* Hands this page's nonce to the style sheets that Leaflet's and Dash's bundles make: the content policy refuses any other. */
(() => {
  "use strict";

  const { nonce } = document.currentScript;
  const make = document.createElement;
  document.createElement = function createElement(name, ...options) {
    const node = make.call(this, name, ...options);
    if (String(name).toLowerCase() === "style") node.nonce = nonce;
    return node;
  };
})();
