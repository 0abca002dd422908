// Raises events that no request can, for whoever holds the socket this listens on. It is never the public one.
export default {
  async fetch(request, { WORKER }) {
    const { cron, scheduledTime } = await request.json();
    return Response.json(await WORKER.scheduled({ cron, scheduledTime: new Date(scheduledTime) }));
  },
};
