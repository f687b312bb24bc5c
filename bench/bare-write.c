/*
 * The least that sending the same bytes to as many sockets costs: accepts connections, then writes each size of a
 * recording at its time to every one of them. Prints the processor time in microseconds and the bytes written.
 *
 * Usage: bare-write CONNECTIONS < RECORDING, of lines "MILLISECONDS BYTES". Prints its port first.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { max_connections = 4096, max_entries = 100000, largest_write = 4 << 20 };

static int sockets[max_connections];
static double at_ms[max_entries];
static size_t bytes_of[max_entries];
static char payload[largest_write];

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static double processor_us(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

int main(int count, char **words) {
  int connections = count > 1 ? atoi(words[1]) : 0;
  if (connections < 1 || connections > max_connections) return 2;
  int entries = 0;
  while (entries < max_entries && scanf("%lf %zu", &at_ms[entries], &bytes_of[entries]) == 2) entries += 1;
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int door = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(door, (struct sockaddr *)&address, size) != 0 || listen(door, connections) != 0) return 1;
  getsockname(door, (struct sockaddr *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (int i = 0; i < connections; i += 1) {
    sockets[i] = accept(door, NULL, NULL);
    int yes = 1;
    setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  double start_ms = now_ms(), start_us = processor_us(), written = 0;
  for (int entry = 0; entry < entries; entry += 1) {
    double wait_ms = start_ms + at_ms[entry] - now_ms();
    if (wait_ms > 0) usleep((useconds_t)(wait_ms * 1e3));
    if (bytes_of[entry] > largest_write) return 1;
    for (int i = 0; i < connections; i += 1) {
      for (size_t sent = 0; sent < bytes_of[entry];) {
        ssize_t done = write(sockets[i], payload + sent, bytes_of[entry] - sent);
        if (done <= 0) return 1;
        sent += done;
      }
      written += bytes_of[entry];
    }
  }
  printf("%.0f %.0f\n", processor_us() - start_us, written);
  return 0;
}
