/** Where `video.ts` finds it. */
export { sendProblem } from '../http/error-reply.ts';
