/* cut-power DIRECTORY: its ext4 forgets all that is not on the device, as when the power goes. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define EXT4_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
/* Not even the file system's own log is written out. */
#define EXT4_GOING_FLAGS_NOLOGFLUSH 2

int main(int count, char **arguments) {
  uint32_t how = EXT4_GOING_FLAGS_NOLOGFLUSH;
  int fd = count == 2 ? open(arguments[1], O_RDONLY) : -1;
  if (fd >= 0 && ioctl(fd, EXT4_IOC_SHUTDOWN, &how) == 0) return 0;
  perror("cut-power");
  return 1;
}
