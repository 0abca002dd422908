// Raises events that no request can, for whoever holds the socket this listens on. It is never the public one.

async function scheduled(request, { WORKER }) {
  const { cron, scheduledTime } = await request.json();
  return Response.json(await WORKER.scheduled({ cron, scheduledTime: new Date(scheduledTime) }));
}

export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname !== "/email") return scheduled(request, env);
    return env.MAIL?.fetch(request) ?? Response.json({ outcome: "missing", forwards: [], replies: [] });
  },
};
