/* Who reads the page, what they may do, and whether they still may: it comes before the stream, which ends with it.

   pingji.caller              the caller of `pingji.client`, null until then
   pingji.may(...wanted)      whether the caller has one of these permissions; false until the caller is known
   pingji.session.onEnd(fn)   fn() once, when nobody is signed in here any more
   pingji.session.ended()     says that it is so: the stream was told, or the server answered 401
   pingji.session.check()     asks the server whether it is so                                            */
(() => {
  "use strict";

  const pingji = (window.pingji = window.pingji || {});
  const ME = "/api/v1/me";
  const listeners = [];
  const session = (pingji.session = { over: false });
  const plain = window.fetch.bind(window);

  pingji.caller = null;
  pingji.may = (...wanted) => wanted.some((one) => Boolean(pingji.caller?.permissions.includes(one)));

  session.onEnd = (fn) => (session.over ? fn() : listeners.push(fn));

  session.ended = () => {
    if (session.over) return;
    session.over = true;
    document.body.dataset.stale = "true";
    for (const fn of listeners) {
      try {
        fn();
      } catch (error) {
        console.error(error);
      }
    }
  };

  /** What the server says of the caller: 401 where nobody is signed in, 0 where nobody answers. */
  session.status = () => plain(ME, { signal: AbortSignal.timeout(8000) }).then((answer) => answer.status, () => 0);

  let checking = null;
  session.check = () => {
    checking = checking || session.status().then((status) => {
      checking = null;
      if (status === 401) session.ended();
    });
    return checking;
  };

  /* Whoever asks, and for what: an answer that says 401 is a reason to ask whether the session is over. */
  window.fetch = async (...asked) => {
    const response = await plain(...asked);
    if (response.status === 401 && !session.over) session.check();
    return response;
  };
})();
